import { createHash } from 'node:crypto';
import { type CallOptions, type FileReference, isWarmvmError, sleep, WarmvmError } from '@warmvm/core/driver';
import { type StoragePoolRef, StoragePoolState, type StorageVolumeRef, uuidToString } from '@warmvm/libvirt';
import { poolXml, volumeXml } from './domain-xml.ts';
import { isAbsent, isFileMissing, isInvalidNow } from './map-error.ts';
import type { Session } from './session.ts';
import { Uploader, type UploadProgress } from './upload.ts';
import { XmlElement } from './xml.ts';

/** `virStoragePoolCreateFlags`: none. `virStoragePoolBuildFlags`: none. */
const NO_FLAGS = 0;
/** How often the pool is taken apart anew when somebody else is at it too, and the time between. */
const REMOVAL_ATTEMPTS = 10;
const REMOVAL_DELAY_MS = 100;
/** How often a volume is tried to be deleted that the daemon is still making or copying, and the time between. */
const DELETION_ATTEMPTS = 200;
const DELETION_DELAY_MS = 50;

/** The storage pool on the host where volumes of the driver lie. Everything goes through the daemon, so that a far host works alike. */
export class Storage {
  readonly #session: Session;
  readonly #name: string;
  readonly #path: string;
  readonly #uploader: Uploader;

  constructor(session: Session, name: string, path: string, isVerifying: boolean) {
    this.#session = session;
    this.#name = name;
    this.#path = path;
    this.#uploader = new Uploader(session, isVerifying);
  }

  get name(): string {
    return this.#name;
  }

  /** The pool, running; made when there is none. */
  async ensure(options: CallOptions = {}): Promise<StoragePoolRef> {
    const pool = await this.find(options);
    if (pool === undefined) {
      options.signal?.throwIfAborted();
      // Undivided: a pool that is defined but not started could be neither used nor removed.
      return this.#make();
    }
    const { state } = await this.#session.call(
      'storagePoolGetInfo',
      { pool },
      `look at storage pool ${this.#name}`,
      options,
    );
    if (state !== StoragePoolState.RUNNING) {
      await this.#start(pool, options);
    }
    return pool;
  }

  /** The pool if the host has it. */
  async find(options: CallOptions = {}): Promise<StoragePoolRef | undefined> {
    try {
      const doing = `look up storage pool ${this.#name}`;
      return (await this.#session.call('storagePoolLookupByName', { name: this.#name }, doing, options)).pool;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Path on the host of a volume that may not exist yet. */
  async pathOf(pool: StoragePoolRef, volume: string, options: CallOptions = {}): Promise<string> {
    const { xml } = await this.#session.call(
      'storagePoolGetXmlDesc',
      { pool, flags: 0 },
      'read the storage pool',
      options,
    );
    const path = XmlElement.parse(xml, `storage pool ${this.#name}`).at('pool', 'target', 'path')?.text ?? '';
    if (!path.startsWith('/')) {
      throw new WarmvmError('WARMVM_HOST_OPERATION', `storage pool ${this.#name} is not a directory`, {
        details: { storagePool: this.#name, expected: 'a pool of type dir, fs or netfs' },
      });
    }
    return `${path}/${volume}`;
  }

  /** A sparse raw volume with the given first bytes. */
  async create(
    pool: StoragePoolRef,
    name: string,
    capacityBytes: number,
    head: Uint8Array,
    options: CallOptions = {},
  ): Promise<StorageVolumeRef> {
    const vol = await this.#createEmpty(pool, name, capacityBytes, options);
    await this.#uploader.bytes(vol, head, options);
    return vol;
  }

  /** A volume with the content of a local file. */
  async createFromFile(
    pool: StoragePoolRef,
    name: string,
    file: FileReference,
    onProgress: UploadProgress,
    options: CallOptions = {},
  ): Promise<StorageVolumeRef> {
    const vol = await this.#createEmpty(pool, name, file.sizeBytes, options);
    await this.#uploader.file(vol, file, onProgress, options);
    return vol;
  }

  /** A byte-for-byte copy on the host; no byte passes through here. */
  async clone(
    pool: StoragePoolRef,
    source: StorageVolumeRef,
    name: string,
    capacityBytes: number,
    options: CallOptions = {},
  ): Promise<StorageVolumeRef> {
    const args = { pool, xml: volumeXml(name, capacityBytes), clonevol: source, flags: NO_FLAGS };
    return (await this.#session.make('storageVolCreateXmlFrom', args, `clone volume ${source.name}`, options)).vol;
  }

  async volume(pool: StoragePoolRef, name: string, options: CallOptions = {}): Promise<StorageVolumeRef> {
    return (await this.#session.call('storageVolLookupByName', { pool, name }, `look up volume ${name}`, options)).vol;
  }

  /** Deletes volumes by name. Absent is success. */
  async delete(names: readonly string[], options: CallOptions = {}): Promise<void> {
    const pool = await this.find(options);
    if (pool === undefined || !(await this.#canBeLookedInto(pool, options))) return;
    for (const name of names) {
      try {
        await this.#delete(await this.volume(pool, name, options), options);
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    }
  }

  /** A pool that was stopped tells nothing of its volumes until it runs again; where its folder is gone, they are gone as well. */
  async #canBeLookedInto(pool: StoragePoolRef, options: CallOptions): Promise<boolean> {
    if (await this.#isActive(pool, options)) return true;
    try {
      await this.#start(pool, options);
      return true;
    } catch (error) {
      if (isFileMissing(error)) return false;
      throw error;
    }
  }

  /** The daemon goes on copying for a process that is gone, and deletes neither copy nor source meanwhile. */
  async #delete(vol: StorageVolumeRef, options: CallOptions): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#session.call('storageVolDelete', { vol, flags: NO_FLAGS }, `delete volume ${vol.name}`, options);
        return;
      } catch (error) {
        if (attempt === DELETION_ATTEMPTS || !isInvalidNow(error)) throw error;
        await sleep(this.#session.clock, DELETION_DELAY_MS, options.signal);
      }
    }
  }

  /** Removes the pool with its directory if a driver made it (its id tells) and nothing lies in it any more. */
  async removeIfEmpty(options: CallOptions = {}): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#removeIfEmpty(options);
        return;
      } catch (error) {
        // Two drivers that end at once take the pool apart together: the later one looks again.
        if (attempt === REMOVAL_ATTEMPTS || isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
        await sleep(this.#session.clock, REMOVAL_DELAY_MS, options.signal);
      }
    }
  }

  async #removeIfEmpty(options: CallOptions): Promise<void> {
    const pool = await this.find(options);
    if (pool === undefined || !this.#isOurs(pool)) return;
    if (await this.#isActive(pool, options)) {
      const { num } = await this.#session.call('storagePoolNumOfVolumes', { pool }, 'count volumes', options);
      if (num > 0) return;
      await this.#session.call('storagePoolDestroy', { pool }, `stop storage pool ${this.#name}`, options);
    }
    try {
      await this.#session.call('storagePoolDelete', { pool, flags: NO_FLAGS }, `remove ${this.#path}`, options);
    } catch (error) {
      // Somebody removed the folder, or the host forgot it in a restart: only the definition is left to be taken away.
      if (!isFileMissing(error)) throw error;
    }
    await this.#session.call('storagePoolUndefine', { pool }, `undefine storage pool ${this.#name}`, options);
  }

  async #make(): Promise<StoragePoolRef> {
    const xml = poolXml(this.#name, this.#path, this.#ownUuid());
    const { pool } = await this.#session.call(
      'storagePoolDefineXml',
      { xml, flags: NO_FLAGS },
      `define storage pool ${this.#name} at ${this.#path}`,
    );
    await this.#start(pool, {});
    return pool;
  }

  async #isActive(pool: StoragePoolRef, options: CallOptions): Promise<boolean> {
    const doing = `look at storage pool ${this.#name}`;
    return (await this.#session.call('storagePoolIsActive', { pool }, doing, options)).active !== 0;
  }

  #isOurs(pool: StoragePoolRef): boolean {
    return uuidToString(pool.uuid) === this.#ownUuid();
  }

  async #start(pool: StoragePoolRef, options: CallOptions): Promise<void> {
    try {
      // Whoever defined it may have been killed before it made the directory; one that exists is left as it is.
      if (this.#isOurs(pool)) {
        await this.#session.call('storagePoolBuild', { pool, flags: NO_FLAGS }, `make ${this.#path}`, options);
      }
      const doing = `start storage pool ${this.#name}`;
      await this.#session.call('storagePoolCreate', { pool, flags: NO_FLAGS }, doing, options);
    } catch (error) {
      // Somebody else was faster, as when two drivers begin at once.
      if (!(await this.#isActive(pool, options))) throw error;
    }
  }

  /** Pools have no metadata: the id that a driver gives to a pool is the mark. */
  #ownUuid(): string {
    const digest = createHash('sha256').update(`warmvm storage pool ${this.#name} at ${this.#path}`).digest();
    return uuidToString(digest.subarray(0, 16));
  }

  async #createEmpty(
    pool: StoragePoolRef,
    name: string,
    capacityBytes: number,
    options: CallOptions,
  ): Promise<StorageVolumeRef> {
    const args = { pool, xml: volumeXml(name, capacityBytes), flags: NO_FLAGS };
    return (await this.#session.make('storageVolCreateXml', args, `create volume ${name}`, options)).vol;
  }
}
