import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { CLEANING_LIMIT_MS } from './careful-caller.ts';
import type { ContenderOptions, OpenPool } from './contender.ts';
import { CONTENDERS, contenderOf } from './contenders.ts';
import { leastProgram } from './least-program.ts';
import { PEERS } from './peer-contenders.ts';
import { TrivialMachine } from './trivial-driver.ts';

// Before the imports: the core takes its timers when it is loaded.
vi.hoisted(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    // Some peers close by short timers of their own.
    shouldAdvanceTime: true,
  });
});

const options: ContenderOptions = { resources: 2, waiting: 10, deadlineMs: 30_000, work: 'none' };

afterEach(() => {
  vi.clearAllTimers();
});

afterAll(() => {
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

describe.each([...CONTENDERS, leastProgram])('contender $name', (contender) => {
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

/** Puts another reset in the place of that of every machine; what it gives undoes that. */
function replaceReset(reset: (machine: TrivialMachine) => Promise<void>): () => void {
  const before = TrivialMachine.prototype.reset;
  TrivialMachine.prototype.reset = function (this: TrivialMachine): Promise<void> {
    return reset(this);
  };
  return () => {
    TrivialMachine.prototype.reset = before;
  };
}

describe.each(PEERS)('peer $name', (contender) => {
  test.each(['recycle', 'bounded recycle'] as const)(
    'has its resource reset and probed by the caller: %s',
    async (work) => {
      const calls: string[] = [];
      const undo = replaceReset(async () => {
        calls.push('reset');
      });
      try {
        const pool = await contender.open({ ...options, work });
        const [first, second] = [await pool.acquire(), await pool.acquire()];
        await give(pool, first);
        // Lent once more only when it is clean.
        await give(pool, await pool.acquire());
        await give(pool, second);
        await new Promise(setImmediate);
        await pool.close();
      } finally {
        undo();
      }
      expect(calls).toEqual(['reset', 'reset', 'reset']);
    },
  );

  test.each([
    ['hangs', () => new Promise<void>(() => {})],
    ['fails', () => Promise.reject(new Error('no'))],
  ])(
    'has a resource whose reset %s destroyed within the limit, and another one made for who waits',
    async (_how, reset) => {
      const destroyed: TrivialMachine[] = [];
      const dispose = TrivialMachine.prototype[Symbol.asyncDispose];
      TrivialMachine.prototype[Symbol.asyncDispose] = function (this: TrivialMachine): Promise<void> {
        destroyed.push(this);
        return dispose.call(this);
      };
      const undo = replaceReset(reset);
      try {
        const deadlineMs = 4 * CLEANING_LIMIT_MS;
        const pool = await contender.open({ resources: 1, waiting: 10, deadlineMs, work: 'bounded recycle' });
        const first = await pool.acquire();
        expect(pool.release(first)).toBeUndefined();
        const second = pool.acquire();
        await vi.advanceTimersByTimeAsync(CLEANING_LIMIT_MS + 2_000);
        expect(await second).not.toBe(first);
        // pg-pool ends its clients in a way of its own.
        if (contender.name !== 'pg-pool') expect(destroyed).toContain(first);
        undo();
        await give(pool, await second);
        await new Promise(setImmediate);
        await pool.close();
      } finally {
        undo();
        TrivialMachine.prototype[Symbol.asyncDispose] = dispose;
      }
    },
  );
});

describe.each([contenderOf('warmvm'), leastProgram])('$name as a contender', (contender) => {
  test('lends nothing again while recycling is held, and everything after it', async () => {
    const pool = await contender.open(options);
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
