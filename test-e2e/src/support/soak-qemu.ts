// Three borrowers of one pool on QEMU, and somebody who kills machines at random. Says what went wrong, and at the end what there was, a line of JSON each.
// Arguments: state folder, seconds, seed.
import { readdir, readFile } from 'node:fs/promises';
import { createPool, isWarmvmError, sleep, systemClock } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { qemuProcesses } from '@warmvm/local-host';

const [stateDirectory = '', seconds = '900', seed = '1'] = process.argv.slice(2);
const MARKERS = ['/run/soak-marker', '/disk/soak-marker'];
const ACQUIRE_MS = 300_000;
/** What a borrower may meet when its machine is killed. */
const OF_A_KILL = [
  ...(['WARMVM_MACHINE_CRASHED', 'WARMVM_MACHINE_GONE', 'WARMVM_GUEST_UNRESPONSIVE', 'WARMVM_LEASE_RELEASED'] as const),
  ...(['WARMVM_LEASE_EXPIRED', 'WARMVM_GUEST_EXEC_FAILED'] as const),
];

/** Numbers from 0 to 1 that a seed repeats. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const wrong = (problem: string, details: object): void => say({ problem, ...details });
const random = randomOf(Number(seed));
let endMs = Number.POSITIVE_INFINITY;
const isOver = (): boolean => performance.now() >= endMs;

/** An error and what led to it. */
const report = (error: unknown): string =>
  error instanceof Error
    ? [error.message, ...(error.cause === undefined ? [] : [report(error.cause)])].join(' < ')
    : String(error);

/** Machines that somebody holds, by id. */
const held = new Map<string, string>();
/** Every generation of every machine that was ever lent. */
const lent = new Set<string>();
const counts = { leases: 0, ends: 0, kills: 0 };

const driver = createQemuDriver({ stateDirectory, standby: 1 });
const pool = createPool({ driver, image: await buildTinyImage(), name: 'soak', minReady: 2, max: 5 });

async function borrow(borrower: string): Promise<void> {
  const lease = await pool.acquire({ timeoutMs: ACQUIRE_MS });
  counts.leases += 1;
  const generation = `${lease.machineId}@${lease.generation}`;
  const other = held.get(lease.machineId);
  if (other !== undefined) wrong('lent twice at once', { generation, borrower, other });
  if (lent.has(generation)) wrong('one generation lent twice', { generation, borrower });
  held.set(lease.machineId, borrower);
  lent.add(generation);
  try {
    const look = await lease.guest.exec(['sh', '-c', `cat ${MARKERS.join(' ')} 2>/dev/null; true`]);
    if (look.stdout.length > 0) wrong('not clean', { generation, found: new TextDecoder().decode(look.stdout) });
    for (const path of MARKERS) await lease.guest.writeFile(path, generation);
    await lease.guest.exec(['sleep', (random() * 2).toFixed(2)], { timeoutMs: 120_000 });
  } catch (error) {
    if (OF_A_KILL.some((code) => isWarmvmError(error, code))) counts.ends += 1;
    else wrong('a borrower met what no kill explains', { generation, error: report(error) });
  } finally {
    held.delete(lease.machineId);
    await lease.release();
  }
}

async function keepBorrowing(borrower: string): Promise<void> {
  while (!isOver()) {
    await borrow(borrower).catch((error: unknown) => wrong('a borrower failed', { borrower, error: report(error) }));
  }
}

/** QEMUs that this process has started. */
async function ours(): Promise<readonly number[]> {
  const found: number[] = [];
  for (const { pid } of await qemuProcesses()) {
    const parent = /\) \S+ (\d+)/.exec(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''))?.[1];
    if (Number(parent) === process.pid) found.push(pid);
  }
  return found;
}

async function keepKilling(): Promise<void> {
  while (!isOver()) {
    await sleep(systemClock, 1_000 + random() * 5_000);
    const pids = await ours();
    const pid = pids[Math.floor(random() * pids.length)];
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
      counts.kills += 1;
    } catch {
      // It has ended by itself since.
    }
  }
}

const heapBytes: number[] = [];
async function keepMeasuring(): Promise<void> {
  while (!isOver()) {
    await sleep(systemClock, Math.min(10_000, Math.max(0, endMs - performance.now())));
    globalThis.gc?.();
    heapBytes.push(process.memoryUsage().heapUsed);
    say({ ...counts, heapBytes: heapBytes.at(-1), rssBytes: process.memoryUsage.rss() });
  }
}

// The golden snapshot is not part of the time.
await (await pool.acquire({ timeoutMs: ACQUIRE_MS })).release();
endMs = performance.now() + Number(seconds) * 1_000;
await Promise.all([...['a', 'b', 'c'].map(keepBorrowing), keepKilling(), keepMeasuring()]);
await pool.close({ graceMs: 10_000 });
await driver[Symbol.asyncDispose]();
const files = (await readdir(stateDirectory, { recursive: true, withFileTypes: true }))
  .filter((entry) => !entry.isDirectory())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(stateDirectory.length + 1));
const left = [
  ...files.filter((name) => !name.startsWith('goldens/')),
  ...(await ours()).map((pid) => `process ${pid}`),
];
say({ done: true, ...counts, heapBytes, left });
