import { posix } from 'node:path';

/** Why a guest's file call failed, in the words of its operating system. */
export class GuestFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GuestFileError';
  }
}

/** Files of a guest: flat, by absolute path, folders implied, bounded in total size. Contents are never changed in place. */
export class GuestFiles {
  readonly #limitBytes: number;
  readonly #files: Map<string, Uint8Array>;
  #sizeBytes: number;

  constructor(limitBytes: number, files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#limitBytes = limitBytes;
    this.#files = new Map(files);
    this.#sizeBytes = [...files.values()].reduce((total, content) => total + content.byteLength, 0);
  }

  /** The content, which must not be changed; undefined where there is no such file. */
  read(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  /** @throws GuestFileError when the space is full */
  write(path: string, content: Uint8Array): void {
    const sizeBytes = this.#sizeBytes - (this.#files.get(path)?.byteLength ?? 0) + content.byteLength;
    if (sizeBytes > this.#limitBytes) throw new GuestFileError(`${path}: No space left on device`);
    this.#files.set(path, content.slice());
    this.#sizeBytes = sizeBytes;
  }

  /** True when there was such a file. */
  remove(path: string): boolean {
    this.#sizeBytes -= this.#files.get(path)?.byteLength ?? 0;
    return this.#files.delete(path);
  }

  paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Independent files with the same content. */
  clone(): GuestFiles {
    return new GuestFiles(this.#limitBytes, this.#files);
  }
}

/**
 * The path without `.`, `..` and double slashes.
 * @throws GuestFileError when it is not absolute or holds a NUL
 */
export function guestPath(path: string): string {
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0')) {
    throw new GuestFileError(`${JSON.stringify(path)}: not an absolute path`);
  }
  return posix.normalize(path);
}
