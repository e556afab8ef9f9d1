import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, type FileReference, systemClock } from '@warmvm/core/driver';
import { referToFile } from '../golden/file-digest.ts';
import { invalidGolden } from '../invalid.ts';
import { type ImageManifest, parseManifest } from './image-manifest.ts';

/** A built image in the cache. */
export interface CachedImage {
  readonly key: string;
  readonly kernel: FileReference;
  readonly initrd: FileReference;
}

const KEY = /^[0-9a-f]{64}$/;
/** What a build that died has left is removed after this time; no build lasts as long. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
/** No more images than this are looked through for one that still fits. */
const MAXIMUM_LISTED = 64;

/**
 * Built images on disk, one folder each, named by key and written at once by renaming. Several processes may share it.
 * A `pointers` folder remembers which key an unchanged package source led to.
 */
export class ImageCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws WARMVM_GOLDEN_INVALID when the folder cannot be made, or others may write to it: they could swap a kernel */
  async open(): Promise<void> {
    try {
      await mkdir(join(this.#directory, 'pointers'), { recursive: true, mode: 0o700 });
    } catch (cause) {
      const advice = 'choose another with the option cacheDir';
      throw invalidGolden(
        `The cache folder ${this.#directory} cannot be made; ${advice}.`,
        { path: this.#directory },
        cause,
      );
    }
    const { mode, uid } = await stat(this.#directory);
    const own = process.getuid?.() ?? uid;
    // This holds for root too: the owner of the folder could swap a kernel that root then boots.
    if ((mode & 0o022) !== 0 || uid !== own) {
      throw invalidGolden(
        `The cache folder ${this.#directory} can be written by others; make it yours alone (chmod 0700) or choose another with the option cacheDir.`,
        { path: this.#directory },
      );
    }
  }

  /** The image of this key; nothing if there is none or it is not what it was when written. */
  async find(key: string, options: CallOptions): Promise<CachedImage | undefined> {
    const manifest = await this.#manifest(key);
    if (manifest === undefined) return undefined;
    const folder = join(this.#directory, key);
    try {
      const kernel = await referToFile(join(folder, 'kernel'), options);
      const initrd = await referToFile(join(folder, 'initrd'), options);
      const intact = kernel.digest === manifest.kernel && initrd.digest === manifest.initrd;
      return intact ? { key, kernel, initrd } : undefined;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof Error) return undefined;
      throw error;
    }
  }

  /** Everything in the cache, for looking for one that still fits. */
  async list(): Promise<{ readonly key: string; readonly manifest: ImageManifest }[]> {
    const keys = (await readdir(this.#directory)).filter((name) => KEY.test(name)).slice(0, MAXIMUM_LISTED);
    const found: { key: string; manifest: ImageManifest }[] = [];
    for (const key of keys) {
      const manifest = await this.#manifest(key);
      if (manifest !== undefined) found.push({ key, manifest });
    }
    return found;
  }

  /** The key this pointer was last set to. */
  async pointer(name: string): Promise<string | undefined> {
    const text = await readFile(join(this.#directory, 'pointers', name), 'utf8').catch(() => '');
    return KEY.test(text) ? text : undefined;
  }

  async setPointer(name: string, key: string): Promise<void> {
    const temporary = join(this.#directory, 'pointers', `.${randomUUID()}`);
    await writeFile(temporary, key, { mode: 0o600 });
    await rename(temporary, join(this.#directory, 'pointers', name));
  }

  /** Runs `work` in a folder of its own, which is gone afterwards whatever happens; also removes what dead builds left. */
  async withWorkFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
    await this.#sweep();
    const folder = join(this.#directory, `.build-${randomUUID()}`);
    await mkdir(folder, { mode: 0o700 });
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Puts an image in under its key. If another process was faster and its image is sound, that one stays. */
  async store(
    key: string,
    files: { readonly kernel: Uint8Array; readonly initrd: Uint8Array; readonly manifest: ImageManifest },
    options: CallOptions,
  ): Promise<CachedImage> {
    const temporary = join(this.#directory, `.build-${randomUUID()}`);
    const target = join(this.#directory, key);
    try {
      await mkdir(temporary, { mode: 0o700 });
      await writeFile(join(temporary, 'kernel'), files.kernel, { mode: 0o600, flush: true });
      await writeFile(join(temporary, 'initrd'), files.initrd, { mode: 0o600, flush: true });
      await writeFile(join(temporary, 'manifest.json'), JSON.stringify(files.manifest, null, 2), { mode: 0o600 });
      for (let attempt = 0; ; attempt += 1) {
        try {
          await rename(temporary, target);
          break;
        } catch (cause) {
          // A folder that is not empty is in the way: another process's image, or a damaged one.
          if ((await this.find(key, options)) !== undefined) break;
          if (attempt === 3)
            throw invalidGolden(`The image cannot be put into the cache as ${target}.`, { path: target }, cause);
          await this.#moveAway(target);
        }
      }
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    const stored = await this.find(key, options);
    if (stored === undefined) throw invalidGolden(`${target} changed right after it was written.`, { path: target });
    return stored;
  }

  async #moveAway(target: string): Promise<void> {
    const grave = join(this.#directory, `.build-${randomUUID()}`);
    await rename(target, grave).catch(() => undefined);
    await rm(grave, { recursive: true, force: true });
  }

  async #manifest(key: string): Promise<ImageManifest | undefined> {
    const text = await readFile(join(this.#directory, key, 'manifest.json'), 'utf8').catch(() => '');
    return parseManifest(text);
  }

  async #sweep(): Promise<void> {
    const now = systemClock.wallTimeMs();
    for (const name of await readdir(this.#directory)) {
      if (!name.startsWith('.build-')) continue;
      const path = join(this.#directory, name);
      const found = await lstat(path).catch(() => undefined);
      if (found !== undefined && now - found.mtimeMs > ABANDONED_AFTER_MS)
        await rm(path, { recursive: true, force: true });
    }
  }
}
