import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ContenderOptions, OpenPool } from './contender.ts';
import { CONTENDERS, contenderOf } from './contenders.ts';
import { PEERS } from './peer-contenders.ts';
import { TrivialMachine } from './trivial-driver.ts';

const options: ContenderOptions = { resources: 2, waiting: 10, deadlineMs: 30_000, work: 'none' };

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    // Some peers close by short timers of their own.
    shouldAdvanceTime: true,
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What an acquire is rejected with at its deadline, and not long before. */
async function expectDeadline(acquire: Promise<object>): Promise<unknown> {
  let end: { readonly error: unknown } | undefined;
  acquire.catch((error: unknown) => {
    end = { error };
  });
  await vi.advanceTimersByTimeAsync(options.deadlineMs / 2);
  expect(end).toBeUndefined();
  await vi.advanceTimersByTimeAsync(options.deadlineMs / 2 + 1);
  expect(end).toBeDefined();
  return end?.error;
}

async function give(pool: OpenPool, resource: object): Promise<void> {
  await pool.release(resource);
}

describe.each(CONTENDERS)('contender $name', (contender) => {
  test('lends each resource to one at a time, and hands what is released to who waits', async () => {
    const pool = await contender.open(options);
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    expect(first).not.toBe(second);
    let served = false;
    const third = pool.acquire().then((resource) => {
      served = true;
      return resource;
    });
    await new Promise(setImmediate);
    expect(served).toBe(false);
    await give(pool, first);
    await give(pool, await third);
    await give(pool, second);
    await pool.close();
  });

  test('rejects who has waited until the deadline', async () => {
    const pool = await contender.open(options);
    const held = [await pool.acquire(), await pool.acquire()];
    expect(await expectDeadline(pool.acquire())).toBeInstanceOf(Error);
    for (const resource of held) await give(pool, resource);
    await pool.close();
  });
});

describe.each(PEERS)('peer $name', (contender) => {
  test('has its resource reset and probed by the caller where the same work is asked for', async () => {
    const calls: string[] = [];
    const { reset } = TrivialMachine.prototype;
    TrivialMachine.prototype.reset = function (this: TrivialMachine): Promise<void> {
      calls.push('reset');
      return reset.call(this);
    };
    try {
      const pool = await contender.open({ ...options, work: 'recycle' });
      await give(pool, await pool.acquire());
      await pool.close();
    } finally {
      TrivialMachine.prototype.reset = reset;
    }
    expect(calls).toEqual(['reset']);
  });
});

describe('warmvm as a contender', () => {
  test('lends nothing again while recycling is held, and everything after it', async () => {
    const pool = await contenderOf('warmvm').open(options);
    const letGo = pool.holdRecycling!();
    for (let turn = 0; turn < options.resources; turn += 1) await give(pool, await pool.acquire());
    expect(await expectDeadline(pool.acquire())).toMatchObject({ code: 'WARMVM_ACQUIRE_TIMEOUT' });
    await letGo();
    await give(pool, await pool.acquire());
    await pool.close();
  });
});

describe('contenderOf', () => {
  test('refuses a name that nobody has', () => {
    expect(() => contenderOf('x')).toThrow("no contender 'x'; there is warmvm, generic-pool, tarn");
  });
});
