/** What is remembered of a built image: what it was made from and what came out. */
export interface ImageManifest {
  /** 64 hexadecimal digits of what this package put in. */
  readonly recipe: string;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly sha256: string }[];
  /** Digests of the files, `sha256:` and 64 hexadecimal digits. */
  readonly kernel: string;
  readonly initrd: string;
}

/** Reads a manifest; nothing if the text is not a whole one. */
export function parseManifest(text: string): ImageManifest | undefined {
  let value: Partial<ImageManifest> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { recipe, packages, kernel, initrd } = value ?? {};
  if (!isText(recipe) || !isText(kernel) || !isText(initrd) || !Array.isArray(packages)) return undefined;
  const whole = packages.every((entry) => isText(entry?.name) && isText(entry?.version) && isText(entry?.sha256));
  return whole ? { recipe, packages, kernel, initrd } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
