// Lends, uses, dirties and releases machines of a pool of eight, two hundred times, and counts what that costs and leaves: needs root, a
// mount namespace of its own, and `--expose-gc`. Its only argument is the state folder, on which it mounts memory; the counts are written beside it.
import { execFile } from 'node:child_process';
import { readdir, readlink, statfs, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { createPool, type Pool, sleep, systemClock } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { leaveTraces, ownerOf, tracesIn } from './tenant.ts';

const [stateDirectory = ''] = process.argv.slice(2);
const MACHINES = 8;
const CYCLES = 200;
const ROOM = '4g';
const LOOKS = 200;
const LOOK_DELAY_MS = 100;

/** What is there at one moment, when nothing is under way. */
export interface Inventory {
  /** Processes that run in the folder or below it. */
  readonly processes: number;
  /** Files and folders in it. */
  readonly files: readonly string[];
  /** Sockets of the file system in it. */
  readonly socketPaths: number;
  /** Open descriptors of this process, by what they are. */
  readonly descriptors: Readonly<Record<string, number>>;
  /** Of the memory that was mounted on it: counts also files that were removed and are still open or mapped. */
  readonly usedBytes: number;
  readonly usedInodes: number;
  /** Of this process, after a full garbage collection. */
  readonly heapBytes: number;
  readonly outsideHeapBytes: number;
  readonly residentBytes: number;
}

/** The counts of one run. */
export interface CyclesScene {
  readonly cycles: number;
  /** Machines that were not clean when they were lent: none, if all is well. */
  readonly dirty: readonly string[];
  readonly resets: number;
  readonly created: number;
  readonly before: Inventory;
  /** All machines ready, after the first of them were lent once. */
  readonly start: Inventory;
  readonly middle: Inventory;
  readonly end: Inventory;
  readonly after: Inventory;
}

async function takeInventory(): Promise<Inventory> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('this needs node --expose-gc');
  for (let round = 0; round < 3; round += 1) {
    await collect({ execution: 'async' });
    await sleep(systemClock, LOOK_DELAY_MS);
  }
  const entries = await readdir(stateDirectory, { recursive: true, withFileTypes: true });
  const { blocks, bfree, bsize, files, ffree } = await statfs(stateDirectory);
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    processes: await processesBelow(),
    files: entries.map(({ parentPath, name }) => `${parentPath}/${name}`).sort(),
    socketPaths: entries.filter((entry) => entry.isSocket()).length,
    descriptors: await descriptors(),
    usedBytes: (blocks - bfree) * bsize,
    usedInodes: files - ffree,
    heapBytes: heapUsed,
    outsideHeapBytes: external,
    residentBytes: rss,
  };
}

async function processesBelow(): Promise<number> {
  const places = (await readdir('/proc'))
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => ''));
  return (await Promise.all(places)).filter((place) => place.startsWith(stateDirectory)).length;
}

async function descriptors(): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const descriptor of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => 'gone');
    // The list itself is read through one.
    if (target === 'gone' || target.endsWith('/fd')) continue;
    const kind = /^(socket|pipe|anon_inode):/.exec(target)?.[1] ?? 'file';
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** An inventory when all machines are ready and what was before them is gone. */
async function atRest(pool: Pool): Promise<Inventory> {
  await pool.ready();
  for (let look = 0; look < LOOKS && (await processesBelow()) !== MACHINES; look += 1) {
    await sleep(systemClock, LOOK_DELAY_MS);
  }
  return takeInventory();
}

const dirty: string[] = [];

/** As many cycles, by as many callers as there are machines. */
async function cycle(pool: Pool, count: number): Promise<void> {
  let left = count;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const lease = await pool.acquire({ timeoutMs: 300_000 });
      const traces = await tracesIn(lease.guest);
      if (traces.length > 0) dirty.push(`${lease.machineId}, generation ${lease.generation}: ${traces.join(' ')}`);
      await leaveTraces(lease.guest);
      await lease.release();
    }
  };
  await Promise.all(Array.from({ length: MACHINES }, caller));
}

await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${ROOM},mode=0711`, 'warmvm', stateDirectory]);
const image = await buildTinyImage();
const options = { stateDirectory, keepGoldens: false, agentTimeoutMs: 120_000, startTimeoutMs: 120_000 };
// The first driver makes the folders that stay, and this process opens what it keeps for children and watches.
const first = createQemuDriver(options);
await first.prepare(image, { owner: ownerOf('cycles') });
await first[Symbol.asyncDispose]();
const driver = createQemuDriver(options);
const before = await takeInventory();
const pool = createPool({ driver, image, name: 'cycles', minReady: MACHINES, max: MACHINES });
await pool.ready();
await cycle(pool, MACHINES);
const start = await atRest(pool);
await cycle(pool, CYCLES / 2);
const middle = await atRest(pool);
await cycle(pool, CYCLES / 2);
const end = await atRest(pool);
const { resets, created } = pool.stats().counters;
await pool.close({ graceMs: 0 });
await driver[Symbol.asyncDispose]();
const after = await takeInventory();
const scene: CyclesScene = { cycles: CYCLES, dirty, resets, created, before, start, middle, end, after };
await writeFile(`${stateDirectory}.json`, JSON.stringify(scene));
