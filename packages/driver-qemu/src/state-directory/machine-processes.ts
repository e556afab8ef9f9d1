import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type CallOptions, type Clock, processStartTime, sleep, WarmvmError } from '@warmvm/core/driver';

/** A process, named once and for ever: ids return, a start time with it does not. */
export interface FoundProcess {
  readonly pid: number;
  readonly startTime: string;
}

/** What tells a machine's QEMU from every other process. */
export interface MachineProcessFacts {
  /** Its id, told by `-name guest=`. */
  readonly id: string;
  /** Its private folder, in which it was started. */
  readonly folder: string;
}

const WAIT_MS = 5;
const DEFAULT_TIMEOUT_MS = 5_000;

/** Start time of a process as the platform reports it; undefined when there is none, or it has ended and is not reaped. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  return process.platform === 'linux' ? processStartTime(pid) : ps(pid, 'lstart');
}

/**
 * Processes that are this machine's: started in its folder, with its id in their arguments. Neither the name of the program nor a
 * process id alone is proof. Where there is no `/proc`, only `recorded` is looked at.
 */
export async function findMachineProcesses(
  facts: MachineProcessFacts,
  recorded?: FoundProcess,
): Promise<readonly FoundProcess[]> {
  if (process.platform !== 'linux') return findRecorded(facts, recorded);
  const found: FoundProcess[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const startTime = await identify(pid, facts);
    if (startTime !== undefined) found.push({ pid, startTime });
  }
  return found;
}

/**
 * Kills the machine's processes and waits until they are gone.
 * @throws the signal's reason; WARMVM_HOST_OPERATION (`retryable`) when one does not end
 */
export async function killMachineProcesses(
  facts: MachineProcessFacts,
  options: CallOptions & { readonly clock: Clock; readonly recorded?: FoundProcess; readonly timeoutMs?: number },
): Promise<number> {
  const { clock, signal, recorded, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const until = clock.now() + timeoutMs;
  const killed = new Set<number>();
  for (;;) {
    const found = await findMachineProcesses(facts, recorded);
    if (found.length === 0) return killed.size;
    for (const { pid, startTime } of found) {
      // Looked at once more: between finding and killing the id may have become another process's.
      if ((await startTimeOf(pid)) === startTime && kill(pid)) killed.add(pid);
    }
    if (clock.now() >= until) throw doesNotEnd(facts, found, timeoutMs);
    await sleep(clock, WAIT_MS, signal);
  }
}

/** The start time, if the process is the machine's. Reads it first and again last: all in between was one process. */
async function identify(pid: number, { id, folder }: MachineProcessFacts): Promise<string | undefined> {
  const directory = await readlink(`/proc/${pid}/cwd`).catch(absent);
  // The kernel says so when the folder was removed meanwhile.
  const place = directory?.replace(/ \(deleted\)$/, '');
  if (place !== folder && place?.startsWith(`${folder}/`) !== true) return undefined;
  const startTime = await startTimeOf(pid);
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(absent))?.split('\0') ?? [];
  if (startTime === undefined || !words.includes(`guest=${id}`)) return undefined;
  return (await startTimeOf(pid)) === startTime ? startTime : undefined;
}

async function findRecorded(facts: MachineProcessFacts, recorded?: FoundProcess): Promise<readonly FoundProcess[]> {
  if (recorded === undefined || (await startTimeOf(recorded.pid)) !== recorded.startTime) return [];
  const command = await ps(recorded.pid, 'command');
  return command?.includes(`guest=${facts.id}`) === true ? [recorded] : [];
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], {
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    });
    return stdout.trim() || undefined;
  } catch {
    // ps fails when there is no such process.
    return undefined;
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** A process may go while it is looked at, and those of others are none of our business. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code ?? '')) return undefined;
  throw error;
}

function doesNotEnd({ id }: MachineProcessFacts, found: readonly FoundProcess[], timeoutMs: number): WarmvmError {
  const pids = found.map(({ pid }) => pid);
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `QEMU of ${id} (process ${pids}) did not end in ${timeoutMs} ms after SIGKILL`,
    {
      retryable: true,
      details: { id, pids, timeoutMs },
    },
  );
}
