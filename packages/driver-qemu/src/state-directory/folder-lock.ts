import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, type Clock, sleep, WarmvmError } from '@warmvm/core/driver';
import { currentHolder, fateOf, type Holder } from './holder.ts';

/** Options of {@link lockFolder}. */
export interface LockOptions extends CallOptions {
  readonly clock: Clock;
  /** @default 60000 */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const SHORTEST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;

/**
 * Lets one process at a time have what the folder stands for. Held until disposed or until the process is gone: neither age nor a crash
 * makes or breaks it.
 *
 * Each contender puts up a file of its own, whose name says who it is, and only then looks: alone, it holds the lock. Files of dead
 * processes are removed by anybody, safely, since names never return. Of two that meet, the one with the greater name steps back.
 *
 * @throws the signal's reason; WARMVM_HOST_OPERATION (`retryable`) when others held it all the time, naming them
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<AsyncDisposable> {
  const { clock, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const until = clock.now() + timeoutMs;
  const name = nameOf(currentHolder());
  const path = join(folder, name);
  const withdraw = (): Promise<void> => rm(path, { force: true });
  signal?.throwIfAborted();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    for (let waitMs = SHORTEST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
      await (await open(path, 'w', 0o600)).close();
      const others = await livingOthers(folder, name);
      const [first] = others;
      if (first === undefined) return { [Symbol.asyncDispose]: withdraw };
      if (first < name) await withdraw();
      if (clock.now() >= until) throw heldByOthers(folder, others, timeoutMs);
      await sleep(clock, waitMs * (0.5 + Math.random()), signal);
    }
  } catch (error) {
    await withdraw();
    throw error;
  }
}

/** Names of the others that live or may live, sorted; files of dead ones go. */
async function livingOthers(folder: string, name: string): Promise<readonly string[]> {
  const self = currentHolder();
  const others: string[] = [];
  for (const other of (await readdir(folder)).sort()) {
    if (other === name) continue;
    const holder = holderOf(other);
    if (holder === undefined) continue;
    if (fateOf(holder, self) === 'dead') await rm(join(folder, other), { force: true });
    else others.push(other);
  }
  return others;
}

function nameOf({ process: { pid, startTime, bootId }, host }: Holder): string {
  return [randomBytes(8).toString('hex'), pid, startTime, host, encodeURIComponent(bootId)].join('_');
}

function holderOf(name: string): Holder | undefined {
  const [, random, pid, startTime, host, bootId] = /^([0-9a-f]{16})_(\d+)_([^_]+)_([0-9a-f]+)_(.+)$/.exec(name) ?? [];
  if (random === undefined || startTime === undefined || host === undefined || bootId === undefined) return undefined;
  return { process: { pid: Number(pid), startTime, bootId: decodeURIComponent(bootId) }, host };
}

function heldByOthers(folder: string, names: readonly string[], timeoutMs: number): WarmvmError {
  const pids = names.map((name) => holderOf(name)?.process.pid).join(', ');
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `${folder} was locked by process ${pids} for ${timeoutMs} ms; end it, or remove the folder if it runs on no computer`,
    { retryable: true, details: { folder, holders: names.map(holderOf), timeoutMs } },
  );
}
