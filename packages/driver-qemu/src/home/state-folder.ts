import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type MachineId, type MachineRecord, type OwnerTag, WarmvmError } from '@warmvm/core/driver';
import { currentHolder } from '../state-directory/holder.ts';
import { type Mark, readMark } from './mark.ts';
import { isRunning, processMark } from './process-table.ts';

/** A mark before it gets its name: id, computer and process of its writer, and something random. */
const HALF_WRITTEN = /^[\w-]+\.json\.([0-9a-f]+)-(\d+)-[0-9a-f]{8}$/;
/** What this process is writing now. */
const inWriting = new Set<string>();

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

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder when it is not there. */
  async open(): Promise<void> {
    // Whoever QEMU runs as has to pass through; what is below is closed to all others.
    await mkdir(dirname(this.path), { recursive: true, mode: 0o711 });
    for (const name of ['marks', 'machines', 'goldens']) {
      await mkdir(join(this.path, name), { recursive: true, mode: 0o700 });
    }
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

  async isThere(): Promise<boolean> {
    return stat(join(this.path, 'marks')).then(
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

  /** Writes the mark, then makes the folder. */
  async create(mark: Omit<Mark, 'format' | 'id' | 'host'>): Promise<Home> {
    // Short: it is part of the path of a socket, which has room for a hundred letters.
    const id = `warmvm-${randomBytes(8).toString('hex')}`;
    await this.write({ ...mark, format: 1, id, host: currentHolder().host });
    const home = { id, owner: mark.owner, directory: join(this.path, 'machines', id) };
    await mkdir(home.directory, { mode: 0o700 });
    return home;
  }

  homeOf({ id, owner }: Mark): Home {
    return { id, owner, directory: join(this.path, 'machines', id) };
  }

  async read(id: MachineId): Promise<Mark | undefined> {
    if (!/^[\w-]{1,128}$/.test(id)) return undefined;
    try {
      return readMark(await readFile(this.#markPath(id), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async list(): Promise<readonly Mark[]> {
    const names = await readdir(join(this.path, 'marks'));
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
    return mark !== undefined && mark.owner.pool === owner.pool && mark.owner.instance === owner.instance;
  }

  /** Changes the mark of what is still ours. @throws WARMVM_MACHINE_GONE */
  async update(
    home: Home,
    changes: Partial<Pick<Mark, 'generation' | 'golden' | 'owner'>> & {
      readonly process?: { readonly pid: number; readonly name: string } | null;
    },
  ): Promise<void> {
    const mark = await this.read(home.id);
    if (mark === undefined || mark.owner.instance !== home.owner.instance) {
      throw new WarmvmError('WARMVM_MACHINE_GONE', `${home.id} is no longer ours`, { details: { machine: home.id } });
    }
    const { process: named, ...rest } = changes;
    const process = named === undefined ? mark.process : named === null ? null : marked(named);
    await this.write({ ...mark, ...rest, process });
  }

  /** Removes the folder, then the mark. Absent is success. */
  async remove(home: Pick<Home, 'id' | 'directory'>): Promise<void> {
    await rm(home.directory, { recursive: true, force: true });
    await rm(this.#markPath(home.id), { force: true });
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
    } finally {
      inWriting.delete(basename(temporary));
    }
  }

  #markPath(id: MachineId): string {
    return join(this.path, 'marks', `${id}.json`);
  }
}

/** Null when it is gone already. */
function marked({ pid, name }: { readonly pid: number; readonly name: string }): Mark['process'] {
  const process = processMark(pid);
  return process === null ? null : { ...process, name };
}
