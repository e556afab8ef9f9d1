import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folder of this checkout. */
export const root: string = dirname(dirname(import.meta.dirname));

/** The parts of a package.json that the checks look at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One package of the workspace. */
export interface WorkspacePackage {
  /** Path relative to the root, such as `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Tags of its `turbo.json`. */
  readonly tags: readonly string[];
}

function readJson<Content>(path: string): Content {
  return JSON.parse(readFileSync(path, 'utf8')) as Content;
}

/** Every package of the workspace below `base`, sorted by folder. */
export function workspacePackages(base: string = root): readonly WorkspacePackage[] {
  const folders = ['bench', 'test-e2e'];
  for (const group of ['packages', 'apps']) {
    if (existsSync(join(base, group)))
      folders.push(...readdirSync(join(base, group)).map((name) => `${group}/${name}`));
  }
  return folders
    .filter((folder) => existsSync(join(base, folder, 'package.json')))
    .sort()
    .map((folder) => {
      const turbo = join(base, folder, 'turbo.json');
      const tags = existsSync(turbo) ? (readJson<{ tags?: string[] }>(turbo).tags ?? []) : [];
      return { folder, manifest: readJson<Manifest>(join(base, folder, 'package.json')), tags };
    });
}

/** The packages that are published. */
export function publicPackages(base: string = root): readonly WorkspacePackage[] {
  return workspacePackages(base).filter(({ manifest }) => manifest.private !== true);
}

/** Every file below a folder, relative to `base`, without dependencies and build output. */
export function filesBelow(base: string, folder: string): string[] {
  const skipped = new Set(['node_modules', 'dist', 'coverage', '.turbo', '.toolchain', '.cache', '.git']);
  if (!existsSync(join(base, folder))) return [];
  return readdirSync(join(base, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(base, path);
    return entry.isFile() ? [path] : [];
  });
}
