import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { WarmvmError } from '../driver/index.ts';
import { makePool, makeReadyPool, observe } from '../pool/fixtures/pool-fixture.ts';
import { type Waiter, WaiterLine } from '../pool/waiter-line.ts';
import { lawRuns } from './fixtures/law-runs.ts';

test('law 12: whoever waits is served after a bounded number of grants when maxPassedOver is set', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 6 }),
    fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 30, maxLength: 60 }),
    async (maxPassedOver, priorities) => {
      const { pool, clock } = await makeReadyPool({ minReady: 1, max: 1, maxPassedOver });
      const first = await pool.acquire();
      let grants = 0;
      let servedAfter = Number.POSITIVE_INFINITY;
      const use = async (priority: number, isWatched: boolean): Promise<void> => {
        const lease = await pool.acquire({ priority });
        grants += 1;
        if (isWatched) servedAfter = grants;
        await lease.release();
      };
      const all = [use(-4, true), ...priorities.map((priority) => use(Math.max(priority, -3), false))];
      await first.release();
      await clock.advance(1);
      await Promise.all(all);
      // Eight other priorities may be due before it.
      expect(servedAfter, 'law 12: passed over too often').toBeLessThanOrEqual(maxPassedOver + 9);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(100));
});

test('law 13: a machine is never left lying because the one it was meant for left at that very moment', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 0, max: 30 }),
    fc.integer({ min: 1, max: 3 }),
    async (ticks, leaving) => {
      const { pool, settle } = await makeReadyPool({ minReady: 1, max: 1 });
      const lease = await pool.acquire();
      const controllers = Array.from({ length: leaving }, () => new AbortController());
      const gone = controllers.map(({ signal }) => observe(pool.acquire({ signal })));
      const next = observe(pool.acquire());
      lease.release().catch(() => {});
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      for (const controller of controllers) controller.abort();
      await settle();
      const served = gone.find((ask) => ask.value !== undefined);
      expect(served !== undefined || next.value !== undefined, 'law 13: somebody has it').toBe(true);
      expect(pool.stats().slots.leased, 'law 10: and one alone').toBe(1);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(150));
});

test('law 15: a deadline holds to the step on the monotonic clock, whatever the wall clock does', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: -1e9, max: 1e9 })), {
      minLength: 1,
      maxLength: 8,
    }),
    async (waits) => {
      const { pool, clock } = await makeReadyPool({ minReady: 1, max: 1 });
      await pool.acquire();
      const startedAtMs = clock.now();
      const endedAtMs = waits.map(([timeoutMs, jumpMs]) => {
        clock.jumpWallTime(jumpMs);
        return pool.acquire({ timeoutMs }).catch(() => clock.now());
      });
      for (const [, jumpMs] of waits) {
        await clock.advance(700);
        clock.jumpWallTime(jumpMs);
      }
      await clock.advance(5_000);
      await clock.advance(1);
      // Whoever still waits is settled by this, too late.
      await pool.close();
      const waited = (await Promise.all(endedAtMs)).map((atMs) => Number(atMs) - startedAtMs);
      expect(waited, 'law 15').toEqual(waits.map(([timeoutMs]) => timeoutMs));
    },
  );
  await fc.assert(property, lawRuns(100));
});

test('law 16: a line at its bound refuses at once and changes nothing; one that does not wait never enters it', async () => {
  const property = fc.asyncProperty(fc.integer({ min: 0, max: 5 }), fc.nat({ max: 8 }), async (maxWaiting, callers) => {
    const { pool, settle } = await makeReadyPool({ minReady: 1, max: 1, maxWaiting });
    await pool.acquire();
    const asks = Array.from({ length: callers }, () => observe(pool.acquire()));
    const before = pool.stats();
    const unwilling = observe(pool.acquire({ timeoutMs: 0 }));
    await settle();
    expect(unwilling.error, 'law 16').toMatchObject({ code: 'WARMVM_POOL_EXHAUSTED' });
    const after = pool.stats();
    expect({ ...after, counters: null, lastPhaseMs: null }, 'law 16').toEqual({
      ...before,
      counters: null,
      lastPhaseMs: null,
    });
    expect(after.waiting, 'law 16').toBe(Math.min(callers, maxWaiting));
    for (const [index, ask] of asks.entries()) expect(ask.settled, 'law 16').toBe(index >= maxWaiting);
    expect(after.counters.refused, 'law 16').toBe(Math.max(0, callers - maxWaiting) + 1);
    await pool.close();
  });
  await fc.assert(property, lawRuns(60));
});

test('law 17: no listener stays on a signal, aborted before, in line or after the grant', async () => {
  const { pool, settle, clock } = await makeReadyPool({ minReady: 1, max: 1, maxWaiting: 20_000 });
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
  const before = AbortSignal.abort(new Error('before'));
  await expect(pool.acquire({ signal: before })).rejects.toBe(before.reason);
  expect(listeners(before), 'law 17: before').toBe(0);
  const granted = new AbortController();
  const lease = await pool.acquire({ signal: granted.signal });
  expect(listeners(granted.signal), 'law 17: granted at once').toBe(0);
  const inLine = new AbortController();
  const asks = Array.from({ length: 10_000 }, () =>
    observe(pool.acquire({ signal: inLine.signal, timeoutMs: 50_000 })),
  );
  const served = new AbortController();
  const waited = observe(pool.acquire({ signal: served.signal, priority: 1 }));
  const late = new AbortController();
  const timedOut = observe(pool.acquire({ signal: late.signal, timeoutMs: 10 }));
  await lease.release();
  await clock.advance(10);
  expect(waited.value?.status).toBe('active');
  expect(listeners(served.signal), 'law 17: granted after waiting').toBe(0);
  expect(timedOut.settled && listeners(late.signal), 'law 17: timed out').toBe(0);
  served.abort();
  await settle();
  expect(waited.value?.status, 'law 17: an abort after the grant changes nothing').toBe('active');
  inLine.abort();
  await settle();
  expect(asks.every((ask) => ask.error === inLine.signal.reason)).toBe(true);
  expect(listeners(inLine.signal), 'law 17: ten thousand on one signal').toBe(0);
  await pool.close();
}, 60_000);

test('law 18: the error of the deadline has the last failure, the gauges and the time of each phase', async () => {
  const failure = new Error('no room');
  const { pool, clock } = makePool({
    max: 2,
    script: (driver) => driver.answer('fork', { delayMs: 5, answer: { reject: failure } }),
  });
  const ask = observe(pool.acquire({ timeoutMs: 50 }));
  await clock.advance(50);
  const error = ask.error as WarmvmError;
  expect(error.code, 'law 18').toBe('WARMVM_ACQUIRE_TIMEOUT');
  expect((error.cause as Error).cause, 'law 18').toBe(failure);
  expect(error.details, 'law 18').toMatchObject({
    waitedMs: 50,
    gauges: { total: 0, max: 2 },
    phases: { fork: 5, prepare: 0 },
  });
  await pool.close();
});

test('law 19: rejecting many takes work linear in their number', async () => {
  const joined = WaiterLine.prototype.join;
  onTestFinished(() => {
    WaiterLine.prototype.join = joined;
  });
  const workOf = async (count: number): Promise<{ readonly touches: number; readonly timers: number }> => {
    let touches = 0;
    // Whoever looks at another waiter looks at one of these.
    WaiterLine.prototype.join = function (this: WaiterLine, waiter: Waiter, dueMs: number): void {
      for (const field of ['previous', 'next', 'sooner', 'later', 'lane', 'heapIndex', 'dueMs', 'rank'] as const) {
        let value: unknown = waiter[field];
        Object.defineProperty(waiter, field, {
          get: () => {
            touches += 1;
            return value;
          },
          set: (next: unknown) => {
            value = next;
          },
        });
      }
      joined.call(this, waiter, dueMs);
    };
    const { pool, clock } = await makeReadyPool({ minReady: 1, max: 1, maxWaiting: count });
    await pool.acquire();
    const setTimer = vi.spyOn(clock, 'setTimer');
    const asks = Array.from({ length: count }, () => observe(pool.acquire({ timeoutMs: 100 })));
    await clock.advance(100);
    expect(asks.every(({ error }) => error !== undefined)).toBe(true);
    const timers = setTimer.mock.calls.length;
    await pool.close();
    return { touches, timers };
  };
  const small = await workOf(100);
  const large = await workOf(1_600);
  expect(large.touches / 1_600, 'law 19').toBeLessThanOrEqual((1.1 * small.touches) / 100);
  expect(large.timers, 'law 19: one timer for all').toBe(small.timers);
});

test('law 44: suspend grants nothing, keeps deadlines running, and resume serves in order', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 2, maxLength: 6 }),
    async (priorities) => {
      const { pool, clock, settle } = await makeReadyPool({ minReady: 3, max: 3 });
      const held = await pool.acquire();
      pool.suspend();
      const served: number[] = [];
      const asks = priorities.map((priority, index) =>
        pool.acquire({ priority, timeoutMs: 1_000 }).then(
          () => served.push(index),
          () => {},
        ),
      );
      const hasty = observe(pool.acquire({ timeoutMs: 100 }));
      await held.release();
      await clock.advance(100);
      expect(hasty.error, 'law 44').toMatchObject({ code: 'WARMVM_ACQUIRE_TIMEOUT' });
      expect(pool.stats().slots, 'law 44').toMatchObject({ leased: 0, ready: 3 });
      pool.resume();
      await settle();
      const inOrder = [...priorities.keys()].sort((a, b) => priorities[b]! - priorities[a]! || a - b).slice(0, 3);
      expect(served, 'law 44').toEqual(inOrder);
      expect(
        pool.stats().slots.ready === 0 || pool.stats().waiting === 0,
        'law 13: none waits while a machine is ready',
      ).toBe(true);
      await pool.close();
      await Promise.all(asks);
    },
  );
  await fc.assert(property, lawRuns(60));
});
