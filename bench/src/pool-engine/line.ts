import { setImmediate, setTimeout } from 'node:timers/promises';
import { systemClock, WarmvmError } from '@warmvm/core';
import type { Contender, OpenPool } from './contender.ts';

const RESOURCES = 10;
const WARM_UP = 100;
/** Long enough for all to have come before the first one's time is over. */
const SHORT_MS = 400;

/** Bytes of heap that each of `count` waiters takes, with the promise that its caller holds. Needs `--expose-gc`. Leaves them waiting. */
export async function heapPerWaiter(contender: Contender, count: number, deadlineMs: number): Promise<number> {
  const pool = await taken(contender, count, deadlineMs);
  const promises: Promise<object>[] = new Array(WARM_UP + count);
  // What is compiled or grown for the first waiters is no waiter's.
  for (let index = 0; index < WARM_UP; index += 1) promises[index] = pool.acquire();
  const before = await usedHeapBytes();
  for (let index = WARM_UP; index < promises.length; index += 1) promises[index] = pool.acquire();
  const after = await usedHeapBytes();
  if (promises.some((promise) => promise === undefined)) throw new RangeError('a waiter is missing');
  return (after - before) / count;
}

/** How long it takes to reject `count` waiters whose time is over all at once. */
export async function rejectAll(contender: Contender, count: number): Promise<{ cpuMs: number; clockMs: number }> {
  const pool = await taken(contender, count, SHORT_MS);
  const joinedAt = systemClock.now();
  const ends = queueUp(pool, count);
  const joinMs = systemClock.now() - joinedAt;
  if (joinMs >= SHORT_MS) {
    throw new WarmvmError('WARMVM_NOT_READY', `${count} waiters of ${contender.name} came in ${joinMs} ms`);
  }
  await setImmediate();
  sleepWithTheLoopHeld(SHORT_MS + 50);
  const startedAt = systemClock.now();
  const cpuAtStart = process.cpuUsage();
  const rejected = (await Promise.all(ends)).filter((end) => end === 'rejected').length;
  const { user, system } = process.cpuUsage(cpuAtStart);
  const clockMs = systemClock.now() - startedAt;
  if (rejected !== count) {
    throw new WarmvmError('WARMVM_NOT_READY', `${rejected} of ${count} waiters of ${contender.name} were rejected`);
  }
  return { cpuMs: (user + system) / 1000, clockMs };
}

/** A pool of which everything is lent. */
async function taken(contender: Contender, count: number, deadlineMs: number): Promise<OpenPool> {
  const waiting = count + WARM_UP;
  const pool = await contender.open({ resources: RESOURCES, waiting, deadlineMs, work: 'none' });
  await Promise.all(Array.from({ length: RESOURCES }, () => pool.acquire()));
  return pool;
}

function queueUp(pool: OpenPool, count: number): Promise<'lent' | 'rejected'>[] {
  return Array.from({ length: count }, () =>
    pool.acquire().then(
      () => 'lent' as const,
      () => 'rejected' as const,
    ),
  );
}

async function usedHeapBytes(): Promise<number> {
  for (let pass = 0; pass < 3; pass += 1) {
    await setTimeout(10);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** So that every timer is due when the loop turns again. */
function sleepWithTheLoopHeld(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
