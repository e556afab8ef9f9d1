import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type Clock,
  type MachineId,
  type MachineRecord,
  type OwnerTag,
  systemClock,
  WarmvmError,
} from '@warmvm/core/driver';
import { lockFolder } from '../state-directory/folder-lock.ts';
import { currentHolder } from '../state-directory/holder.ts';
import { livingIn } from '../state-directory/presence.ts';
import { MACHINE_ID, type Mark, readMark } from './mark.ts';
import { ensurePrivateFolder, requireTrustedParents } from './private-folder.ts';
import { isRunning, processMark } from './process-table.ts';

/** A mark before it gets its name: id, computer and process of its writer, and something random. */
const HALF_WRITTEN = /^[\w-]+\.json\.([0-9a-f]+)-(\d+)-[0-9a-f]{8}$/;
/** What this process is writing now. */
const inWriting = new Set<string>();

/** Folders in the state folder that every driver makes. */
export const STATE_FOLDERS = ['marks', 'machines', 'goldens', 'locks'] as const;

/** One machine or golden snapshot in the state folder: its mark and its private folder. */
export interface Home {
  readonly id: MachineId;
  readonly owner: OwnerTag;
  /** Private folder of it. */
  readonly directory: string;
}

/**
 * The folder of one user that holds all that drivers make: `marks` (one file each, written first and removed last), `machines`
 * (a private folder each) and `goldens`.
 */
export class StateFolder {
  readonly path: string;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock = systemClock) {
    this.path = path;
    this.#clock = clock;
  }

  /**
   * Makes the folder when it does not exist, and closes it to all others: what lies in it is this user's alone.
   * @throws WARMVM_HOST_OPERATION when it, or a folder above, is another user's or can be replaced by one
   */
  async open(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o711 });
    await requireTrustedParents(this.path);
    for (const name of ['', ...STATE_FOLDERS]) await ensurePrivateFolder(join(this.path, name));
    await this.#removeHalfWritten();
  }

  /** Marks that never got their names, since their writer was killed or the folder was taken away under it. */
  async #removeHalfWritten(): Promise<void> {
    const self = currentHolder();
    for (const name of await readdir(join(this.path, 'marks'))) {
      const [, host, pid] = HALF_WRITTEN.exec(name) ?? [];
      if (host !== self.host || inWriting.has(name)) continue;
      const isDead = Number(pid) === self.process.pid || processMark(Number(pid)) === null;
      if (isDead) await rm(join(this.path, 'marks', name), { force: true });
    }
  }

  /** Whether the folder exists, whatever became of what was in it. */
  async isThere(): Promise<boolean> {
    return stat(this.path).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
  }

  get machines(): string {
    return join(this.path, 'machines');
  }

  get goldens(): string {
    return join(this.path, 'goldens');
  }

  /** Writes the mark, then makes the folder. Rejected: neither is left. */
  async create(mark: Omit<Mark, 'format' | 'id' | 'host'>): Promise<Home> {
    const id = `warmvm-${randomBytes(8).toString('hex')}`;
    await this.write({ ...mark, format: 1, id, host: currentHolder().host });
    const home = { id, owner: mark.owner, directory: join(this.path, 'machines', id) };
    try {
      await mkdir(home.directory, { mode: 0o700 });
    } catch (error) {
      await this.remove(home);
      throw error;
    }
    return home;
  }

  homeOf({ id, owner }: Mark): Home {
    return { id, owner, directory: join(this.path, 'machines', id) };
  }

  async read(id: MachineId): Promise<Mark | undefined> {
    if (!MACHINE_ID.test(id)) return undefined;
    try {
      return readMark(await readFile(this.#markPath(id), 'utf8'), id);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async list(): Promise<readonly Mark[]> {
    const names = await readdir(join(this.path, 'marks')).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const marks: Mark[] = [];
    for (const name of names) {
      if (!name.endsWith('.json')) continue;
      const mark = await this.read(name.slice(0, -'.json'.length));
      if (mark !== undefined) marks.push(mark);
    }
    return marks;
  }

  /** Whether it still is whose it was. */
  async isOwned({ id, owner }: Home): Promise<boolean> {
    const mark = await this.read(id);
    return mark !== undefined && isSameOwner(mark.owner, owner);
  }

  /**
   * Runs `work` with the mark as it is now, while no other process changes or removes it. Every write of an owner goes through here:
   * what was compared with the mark stays true until `work` ends.
   */
  async withMark<Result>(id: MachineId, work: (mark: Mark | undefined) => Promise<Result>): Promise<Result> {
    const folder = join(this.path, 'locks', id);
    const lock = await lockFolder(folder, { clock: this.#clock }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    // The state folder has gone, and all marks with it.
    if (lock === undefined) return work(undefined);
    try {
      return await work(await this.read(id));
    } finally {
      await lock[Symbol.asyncDispose]();
      // Nobody needs the lock of what has gone. Another one may be waiting for it: then it is not empty.
      if ((await this.read(id).catch(() => 'there')) === undefined) await rmdir(folder).catch(() => {});
    }
  }

  /** Changes the mark of what is still ours. @throws WARMVM_MACHINE_GONE */
  update(
    home: Home,
    changes: Partial<Pick<Mark, 'generation' | 'golden' | 'owner'>> & {
      readonly process?: { readonly pid: number; readonly name: string } | null;
    },
  ): Promise<void> {
    return this.withMark(home.id, async (mark) => {
      if (mark === undefined || !isSameOwner(mark.owner, home.owner)) {
        throw new WarmvmError('WARMVM_MACHINE_GONE', `${home.id} is no longer ours`, { details: { machine: home.id } });
      }
      const { process: named, ...rest } = changes;
      const process = named === undefined ? mark.process : named === null ? null : marked(named);
      await this.write({ ...mark, ...rest, process });
    });
  }

  /**
   * Removes what is not another owner's: runs `end`, then removes the folder and the mark. False when it has another owner now, and
   * nothing is touched then. A mark that is gone has no owner: what it stood for is removed all the same.
   */
  removeOwned(home: Home, end: () => Promise<void>): Promise<boolean> {
    return this.withMark(home.id, async (mark) => {
      if (mark !== undefined && !isSameOwner(mark.owner, home.owner)) return false;
      await end();
      await this.remove(home);
      return true;
    });
  }

  /** Removes the folder, then the mark. Absent is success. */
  async remove(home: Pick<Home, 'id' | 'directory'>): Promise<void> {
    await rm(home.directory, { recursive: true, force: true });
    await rm(this.#markPath(home.id), { force: true });
    const locks = join(this.path, 'locks', home.id);
    // A process that was killed while it held the lock has left its name there, which this look removes.
    await livingIn(locks).catch(() => {});
    await rmdir(locks).catch(() => {});
  }

  /** What others are told of it; undefined: nothing. */
  recordOf({ id, kind, owner, generation, digest, process }: Mark): MachineRecord | undefined {
    if (kind === 'standby') return undefined;
    const runs = process !== null && isRunning(process);
    const state = kind === 'golden' ? 'stopped' : process === null ? 'starting' : runs ? 'running' : 'stopped';
    return { id, kind, owner, generation, digest: digest === '' ? null : digest, state };
  }

  async write(mark: Mark): Promise<void> {
    const path = this.#markPath(mark.id);
    const { host, process } = currentHolder();
    const temporary = `${path}.${host}-${process.pid}-${randomBytes(4).toString('hex')}`;
    inWriting.add(basename(temporary));
    try {
      await writeFile(temporary, JSON.stringify(mark), { mode: 0o600, flag: 'wx' });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      inWriting.delete(basename(temporary));
    }
  }

  #markPath(id: MachineId): string {
    return join(this.path, 'marks', `${id}.json`);
  }
}

/** Pool and instance: the same process may run several. */
export function isSameOwner(one: OwnerTag, other: OwnerTag): boolean {
  return one.pool === other.pool && one.instance === other.instance;
}

/** Null when it is gone already. */
function marked({ pid, name }: { readonly pid: number; readonly name: string }): Mark['process'] {
  const process = processMark(pid);
  return process === null ? null : { ...process, name };
}
