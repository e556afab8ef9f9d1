import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnerTag } from '@warmvm/core/driver';

/**
 * What the folder of a machine says of it: the only thing that makes it ours. Written before anything else is made, removed after
 * everything else is.
 */
export interface MachineMark {
  readonly format: 1;
  readonly id: string;
  readonly kind: 'machine' | 'golden';
  readonly owner: OwnerTag;
  /** Which computer: see `Holder`. */
  readonly host: string;
  readonly generation: number;
  /** Digest of the golden image, or null when the making did not get that far. */
  readonly digest: string | null;
  /** Its QEMU, once that runs. */
  readonly process?: { readonly pid: number; readonly startTime: string };
  /** Its cgroup, once there is one: absolute path. */
  readonly cgroup?: string;
  /** Files outside the folder that go with it: absolute paths, written here before they are made. */
  readonly files?: readonly string[];
}

const MARK_NAME = 'mark.json';
/** Ids are names of folders, of machines in QEMU's command line, and of cgroups. */
const MACHINE_ID = /^[A-Za-z0-9][\w.-]{0,127}$/;
const MAXIMUM_MARK_BYTES = 65_536;

/** Folder of a machine. @throws RangeError for an id that is no name */
export function machineFolder(machines: string, id: string): string {
  if (!MACHINE_ID.test(id))
    throw new RangeError(`id is ${JSON.stringify(id)}, expected letters, digits, "-", "_" and "."`);
  return join(machines, id);
}

/** Writes the mark, with the machine's private folder if there is none. Whoever reads it meanwhile sees the old one or the new one. */
export async function writeMark(machines: string, mark: MachineMark): Promise<string> {
  const folder = machineFolder(machines, mark.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, MARK_NAME);
  await writeFile(`${path}.new`, JSON.stringify(mark), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return folder;
}

/** The mark of a machine; undefined when there is none or it makes no sense. */
export async function readMark(machines: string, id: string): Promise<MachineMark | undefined> {
  const path = join(machineFolder(machines, id), MARK_NAME);
  try {
    // A folder that a machine's user can write to may hold anything by now: no link is followed, nothing large is read.
    const { size } = await requireFile(path);
    if (size > MAXIMUM_MARK_BYTES) return undefined;
    return sensible(JSON.parse(await readFile(path, 'utf8')), id);
  } catch (error) {
    const absent = ['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (absent || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Every mark in the folder. A folder without one is not ours, or was not begun. */
export async function listMarks(machines: string): Promise<readonly MachineMark[]> {
  const names = await readdir(machines).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const marks = await Promise.all(names.filter((name) => MACHINE_ID.test(name)).map((id) => readMark(machines, id)));
  return marks.filter((mark) => mark !== undefined);
}

/** Removes all that belongs to a machine whose process is gone: what is outside, what is inside, the mark, the folder. */
export async function removeMachineFiles(machines: string, mark: MachineMark): Promise<void> {
  const folder = machineFolder(machines, mark.id);
  for (const file of mark.files ?? []) await rm(file, { force: true });
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) if (name !== MARK_NAME) await rm(join(folder, name), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}

async function requireFile(path: string): Promise<{ readonly size: number }> {
  const facts = await lstat(path);
  if (!facts.isFile()) throw Object.assign(new Error(`${path} is no file`), { code: 'ELOOP' });
  return facts;
}

function sensible(value: unknown, id: string): MachineMark | undefined {
  const mark = value as MachineMark | null;
  if (typeof mark !== 'object' || mark === null) return undefined;
  const { owner, process } = mark;
  const fits =
    mark.format === 1 &&
    mark.id === id &&
    (mark.kind === 'machine' || mark.kind === 'golden') &&
    Number.isSafeInteger(mark.generation) &&
    typeof mark.host === 'string' &&
    typeof owner?.pool === 'string' &&
    typeof owner.instance === 'string' &&
    Number.isSafeInteger(owner.process?.pid) &&
    typeof owner.process.bootId === 'string' &&
    typeof owner.process.startTime === 'string' &&
    (mark.digest === null || typeof mark.digest === 'string') &&
    (process === undefined || (Number.isSafeInteger(process.pid) && typeof process.startTime === 'string')) &&
    (mark.cgroup === undefined || typeof mark.cgroup === 'string') &&
    (mark.files === undefined || (Array.isArray(mark.files) && mark.files.every((file) => typeof file === 'string')));
  return fits ? mark : undefined;
}
