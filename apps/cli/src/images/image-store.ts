import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GoldenImage, systemClock, WarmvmError } from '@warmvm/core';
import { imageDigest, referToFile } from '@warmvm/guest-image';
import { ConfigError } from '../config/config-error.ts';
import { requireImageName, TINY } from './image-name.ts';
import { filesOf, type ImageRecord, parseRecord, recordOf, type StoredFile } from './image-record.ts';
import { openStoreFolder, type StoreModes, storeFolder, storeModes } from './store-folder.ts';
import { markUse, usersOf } from './use-marks.ts';

const RECORD = 'image.json';
/** Folders of images that are being put in or taken out; names begin with no dot. */
const PENDING = '.pending-';
/** What a process that died has left is removed after this time; nothing takes as long. */
const ABANDONED_AFTER_MS: number = 24 * 3_600_000;
const MOST_RECORD_BYTES = 64 * 1024;

/** An image of the store. */
export interface StoredImage {
  readonly name: string;
  readonly record: ImageRecord;
}

/**
 * Images by name: a folder each, with a record and files that nobody writes to any more. A folder is put in and taken out by renaming
 * it, which only one process can do, so that several may share the store without a lock.
 */
export class ImageStore {
  readonly folder: string;
  readonly #modes: StoreModes;

  constructor(folder: string = storeFolder(), modes: StoreModes = storeModes()) {
    this.folder = folder;
    this.#modes = modes;
  }

  /** All images, by name; what is no image is left out. */
  async list(): Promise<readonly StoredImage[]> {
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
    const found: StoredImage[] = [];
    for (const name of names) {
      const record = await this.#record(name);
      if (record !== undefined) found.push({ name, record });
    }
    return found;
  }

  /**
   * The image of this name, which this process uses from now on.
   * @throws ConfigError with the names that there are; WARMVM_GOLDEN_INVALID when its files are not what they were
   */
  async use(name: string, signal: AbortSignal): Promise<GoldenImage> {
    requireImageName(name);
    if ((await this.#record(name)) === undefined) throw await this.#unknown(name);
    // Said before it is looked at: whoever takes it out looks for users after that.
    await markUse(this.#uses(name));
    const record = await this.#record(name);
    if (record === undefined) throw await this.#unknown(name);
    return this.#opened(name, record, signal);
  }

  /**
   * Puts an image in: `make` gets an empty folder and describes the image whose files it put there.
   * @throws ConfigError when the name is taken; what `make` throws. Nothing is left then
   */
  async add(name: string, origin: string, make: (fileFor: () => string) => Promise<GoldenImage>): Promise<StoredImage> {
    requireImageName(name);
    await openStoreFolder(this.folder, this.#modes);
    await this.#clearAbandoned();
    if ((await lstat(this.#at(name)).catch(() => undefined)) !== undefined) throw taken(name);
    const pending = join(this.folder, PENDING + randomUUID());
    await mkdir(pending, { mode: 0o700 });
    try {
      const image = await make(() => join(pending, randomBytes(16).toString('hex')));
      const marks = await this.#closed(pending);
      const stored = (path: string): Pick<StoredFile, 'file' | 'mark'> => marks.get(path) as StoredFile;
      const createdAt = new Date(systemClock.wallTimeMs()).toISOString();
      const record = recordOf(image, stored, { origin, createdAt });
      await writeFile(join(pending, RECORD), JSON.stringify(record, null, 2), { mode: 0o600, flush: true });
      await chmod(pending, this.#modes.folder);
      await rename(pending, this.#at(name)).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? taken(name) : error;
      });
      return { name, record };
    } finally {
      await rm(pending, { recursive: true, force: true });
    }
  }

  /**
   * Takes an image out, and its files away. Resolves with how much room they took.
   * @throws ConfigError for a name that is not there; Error when processes use it, naming them
   */
  async remove(name: string, { force = false }: { readonly force?: boolean } = {}): Promise<number> {
    requireImageName(name);
    const at = this.#at(name);
    await this.#requireUnused(name, force);
    const roomBytes = await roomOf(at);
    const pending = join(this.folder, PENDING + randomUUID());
    try {
      await rename(at, pending);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw await this.#unknown(name);
      throw cause;
    }
    try {
      // Again: somebody may have said so in between. Whoever comes later finds no image.
      await this.#requireUnused(name, force);
    } catch (error) {
      await rename(pending, at);
      throw error;
    }
    await rm(pending, { recursive: true, force: true });
    await rm(this.#uses(name), { recursive: true, force: true });
    return roomBytes;
  }

  #at(name: string): string {
    return join(this.folder, name);
  }

  #uses(name: string): string {
    return join(this.folder, '.uses', name);
  }

  async #record(name: string): Promise<ImageRecord | undefined> {
    const path = join(this.#at(name), RECORD);
    const size = (await lstat(path).catch(() => undefined))?.size ?? 0;
    return size === 0 || size > MOST_RECORD_BYTES ? undefined : parseRecord(await readFile(path, 'utf8'));
  }

  async #opened(name: string, record: ImageRecord, signal: AbortSignal): Promise<GoldenImage> {
    for (const stored of filesOf(record)) await this.#requireSame(name, stored, signal);
    const file = ({ file: at, digest, sizeBytes }: StoredFile) => ({
      path: join(this.#at(name), at),
      digest,
      sizeBytes,
    });
    const { architecture, memoryBytes, virtualCpus, network, renewal, boot } = record;
    const described = {
      architecture,
      memoryBytes,
      virtualCpus,
      network,
      ...(renewal === undefined ? {} : { renewal: { command: renewal } }),
      boot:
        boot.kind === 'disk'
          ? { ...boot, disk: file(boot.disk) }
          : { ...boot, kernel: file(boot.kernel), initrd: file(boot.initrd) },
    };
    return { name, digest: imageDigest(described), ...described };
  }

  /** A look at the inode is enough; where that differs, as after a restored backup, the file is read again. */
  async #requireSame(name: string, { file, digest, mark }: StoredFile, signal: AbortSignal): Promise<void> {
    const path = join(this.#at(name), file);
    if ((await markOf(path).catch(() => '')) === mark) return;
    const found = await referToFile(path, { signal });
    if (found.digest === digest) return;
    throw new WarmvmError(
      'WARMVM_GOLDEN_INVALID',
      `image ${name} was changed since it was imported: ${path} is not what it was; take it out (warmvm image rm ${name}) and import it again`,
      { details: { image: name, path, expected: digest, found: found.digest } },
    );
  }

  /** Nobody writes to the files from now on. */
  async #closed(pending: string): Promise<ReadonlyMap<string, Pick<StoredFile, 'file' | 'mark'>>> {
    const marks = new Map<string, Pick<StoredFile, 'file' | 'mark'>>();
    for (const file of await readdir(pending)) {
      const path = join(pending, file);
      await chmod(path, this.#modes.file);
      marks.set(path, { file, mark: await markOf(path) });
    }
    return marks;
  }

  async #requireUnused(name: string, force: boolean): Promise<void> {
    const users = force ? [] : await usersOf(this.#uses(name));
    if (users.length === 0) return;
    const pids = users.map(({ pid }) => pid).join(', ');
    throw new Error(
      `image ${name} is in use by process ${pids}; end it first, or take --force: its machines run on, and no new ones can be made`,
    );
  }

  async #unknown(name: string): Promise<ConfigError> {
    const names = [TINY, ...(await this.list()).map((image) => image.name)];
    return new ConfigError(
      `there is no image ${JSON.stringify(name)}; there are: ${names.join(', ')}. ` +
        `A file is named by its path, such as ./${name}; warmvm image import gives it a name`,
    );
  }

  async #clearAbandoned(): Promise<void> {
    const now = systemClock.wallTimeMs();
    for (const name of await readdir(this.folder)) {
      if (!name.startsWith(PENDING)) continue;
      const path = join(this.folder, name);
      const found = await lstat(path).catch(() => undefined);
      if (found !== undefined && now - found.mtimeMs > ABANDONED_AFTER_MS)
        await rm(path, { recursive: true, force: true });
    }
  }
}

/** Any write to the file, and any replacement of it, changes this. */
async function markOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join('-');
}

async function roomOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of await readdir(folder).catch(() => [])) {
    bytes += ((await lstat(join(folder, file)).catch(() => undefined))?.blocks ?? 0) * 512;
  }
  return bytes;
}

function taken(name: string): ConfigError {
  return new ConfigError(
    `there is an image ${JSON.stringify(name)} already; choose another name, or: warmvm image rm ${name}`,
  );
}
