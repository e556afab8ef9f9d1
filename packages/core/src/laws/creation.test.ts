import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { makePool, makeReadyPool, observe } from '../pool/fixtures/pool-fixture.ts';
import { lawRuns, seededRandom } from './fixtures/law-runs.ts';

const failure = new Error('scripted');
const seed = fc.integer({ min: 0, max: 2 ** 31 });

test('law 6: forks begin at no more than the rate, and no more are under way than permits', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 20 }),
    async (creationsPerSecond, forkConcurrency, pauses) => {
      const { pool, driver, clock } = makePool({ minReady: 6, max: 12, creationsPerSecond, forkConcurrency });
      driver.answer('fork', { delayMs: 30 });
      for (const pauseMs of pauses) {
        pool.acquire({ leaseMs: 50 }).catch(() => {});
        pool.resize({ minReady: pauseMs % 7 });
        await clock.advance(pauseMs);
        expect(driver.pending('fork').length, 'law 6: permits').toBeLessThanOrEqual(forkConcurrency);
      }
      const times = driver.calls('fork').map((call) => call.atMs);
      for (const fromMs of times) {
        const inWindow = times.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000).length;
        expect(inWindow, 'law 6: rate').toBeLessThanOrEqual(2 * creationsPerSecond);
      }
      pool.resize({ minReady: 1 });
      await clock.advance(30_000);
      expect(pool.stats().slots.ready, 'law 6: what is wanted is made in the end').toBeGreaterThanOrEqual(1);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(60));
});

test('law 31: between attempts after a failure lies what the policy gave, never below its base or above its cap', async () => {
  const jitters = fc.constantFrom('full' as const, 'decorrelated' as const, 'none' as const);
  const property = fc.asyncProperty(
    seed,
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 20 }),
    jitters,
    async (from, baseMs, times, jitter) => {
      const capMs = baseMs * times;
      const { pool, driver, clock } = makePool({
        minReady: 3,
        max: 8,
        creationBackoff: Backoff.exponential({ baseMs, capMs, jitter }, seededRandom(from)),
        breaker: { failures: 1_000_000 },
        script: (stub) => stub.answer('fork', { reject: failure }),
      });
      pool.acquire().catch(() => {});
      await clock.advance(capMs * 6);
      const forks = driver.calls('fork').map((call) => call.atMs);
      // Those that began together before the first failure are one attempt of the policy.
      const attempts = [...new Set(forks)];
      expect(attempts.length, 'law 31: it is tried again').toBeGreaterThan(2);
      for (const [index, atMs] of attempts.slice(1).entries()) {
        const delayMs = atMs - attempts[index]!;
        expect(delayMs, 'law 31: base').toBeGreaterThanOrEqual(baseMs - 1e-6);
        expect(delayMs, 'law 31: cap').toBeLessThanOrEqual(capMs + 1e-6);
      }
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(60));
});

test('law 32: an outage costs attempts by time, however many wait', async () => {
  const attemptsWith = async (waiters: number): Promise<number> => {
    const { pool, driver, clock } = makePool({
      minReady: 1,
      max: 8,
      creationBackoff: Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' }),
      breaker: { failures: 1_000_000 },
      script: (stub) => stub.answer('fork', { reject: failure }),
    });
    // The first failure is seen before anybody waits.
    await clock.advance(0);
    for (let index = 0; index < waiters; index += 1) pool.acquire({ timeoutMs: 60_000 }).catch(() => {});
    await clock.advance(20_000);
    await pool.close();
    return driver.calls('fork').length;
  };
  const alone = await attemptsWith(1);
  expect(alone).toBeLessThan(30);
  for (const waiters of [10, 500]) expect(await attemptsWith(waiters), 'law 32').toBe(alone);
});

test('law 33: half-open lets through exactly its sample, and one success resets the backoff', async () => {
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 4 }), async (samples) => {
    const { pool, driver, clock, settle } = makePool({
      minReady: 6,
      max: 6,
      creationBackoff: Backoff.exponential({ baseMs: 10, capMs: 80, jitter: 'none' }),
      breaker: { failures: 2, openMs: 1_000, samples },
      script: (stub) => stub.answer('fork', { reject: failure }),
    });
    await clock.advance(20);
    expect(pool.stats().breaker, 'law 33').toBe('open');
    const before = driver.calls('fork').length;
    driver.answer('fork', 'manual');
    await clock.advance(1_000);
    expect(pool.stats().breaker, 'law 33').toBe('half-open');
    expect(driver.calls('fork').length - before, 'law 33: exactly the sample').toBe(samples);
    for (const call of driver.pending('fork')) call.resolve();
    await settle();
    expect(pool.stats().breaker, 'law 33: the sample went well').toBe('closed');
    driver.answer('fork', { reject: failure });
    const again = driver.calls('fork').length;
    for (const call of driver.pending('fork')) call.reject(failure);
    await clock.advance(10);
    expect(driver.calls('fork').length, 'law 33: the next wait is the base again').toBe(again + 1);
    await pool.close();
  });
  await fc.assert(property, lawRuns(10));
});

test('law 34: when creation works again every remaining waiter is served without a new acquire', async () => {
  const property = fc.asyncProperty(
    seed,
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 20_000 }),
    async (from, waiters, outageMs) => {
      const { pool, driver, clock } = makePool({
        minReady: 0,
        max: 8,
        creationBackoff: Backoff.exponential({ baseMs: 50, capMs: 2_000 }, seededRandom(from)),
        breaker: { failures: 3, openMs: 2_000 },
        script: (stub) => stub.answer('fork', { reject: failure }),
      });
      const asks = Array.from({ length: waiters }, () => observe(pool.acquire({ timeoutMs: 60_000 })));
      await clock.advance(outageMs);
      driver.answer('fork', { delayMs: 5 });
      await clock.advance(20_000);
      for (const ask of asks) expect(ask.value?.status, 'law 34').toBe('active');
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(40));
});

test('law 35: a creation outlives the waiter that caused it, and its machine is used', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom('abort' as const, 'timeout' as const),
    fc.boolean(),
    async (how, isNext) => {
      const { pool, driver, clock, settle } = makePool({
        minReady: 0,
        max: 1,
        script: (stub) => stub.answer('fork', 'manual'),
      });
      const controller = new AbortController();
      const gone = observe(pool.acquire({ signal: controller.signal, timeoutMs: 100 }));
      await settle();
      if (how === 'abort') controller.abort();
      await clock.advance(how === 'abort' ? 0 : 100);
      expect(gone.error, 'law 35').toBeDefined();
      const [fork] = driver.pending('fork');
      expect(fork?.signal?.aborted, 'law 35: the boot goes on').toBe(false);
      const next = isNext ? observe(pool.acquire()) : undefined;
      fork?.resolve();
      await settle();
      expect(driver.calls('fork'), 'law 35: and is enough').toHaveLength(1);
      expect(next === undefined ? pool.stats().slots.ready : pool.stats().slots.leased, 'law 35').toBe(1);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(12));
});

test('law 36: a creation that settles after its time is destroyed once, and its slot counts until then', async () => {
  const property = fc.asyncProperty(fc.integer({ min: 0, max: 20_000 }), async (lateMs) => {
    const { pool, driver, clock } = makePool({
      minReady: 1,
      max: 1,
      forkTimeoutMs: 100,
      destroyTimeoutMs: 5_000,
      stub: { honoursAbort: false },
    });
    driver.answer('fork', (index) => (index === 0 ? 'manual' : 'resolve'));
    await clock.advance(100 + lateMs);
    expect(pool.stats().total, 'law 36: it counts').toBe(1);
    expect(driver.calls('fork'), 'law 36: nothing is made beside it').toHaveLength(1);
    driver.pending('fork')[0]?.resolve();
    await clock.advance(60_000);
    expect(driver.forked[0]?.disposals, 'law 36: destroyed once').toBe(1);
    expect(driver.calls('dispose'), 'law 36').toHaveLength(1);
    expect(pool.stats().slots, 'law 36: and another made').toMatchObject({ ready: 1, destroying: 0, quarantined: 0 });
    await pool.close();
  });
  await fc.assert(property, lawRuns(30));
});

test('law 7: resize never takes what is lent, and a larger max serves who waits without another event', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 6 }),
    fc.nat({ max: 4 }),
    async (lent, max, waiting) => {
      const { pool, settle, clock } = await makeReadyPool({ minReady: 6, max: 6 });
      const leases = await Promise.all(Array.from({ length: lent }, () => pool.acquire()));
      pool.resize({ minReady: 0, max });
      await settle();
      for (const lease of leases) expect(lease.status, 'law 7: not taken').toBe('active');
      expect(pool.stats().total, 'law 7: spares go at once').toBeLessThanOrEqual(Math.max(max, lent));
      const taken = await Promise.all(Array.from({ length: Math.max(0, max - lent) }, () => pool.acquire()));
      const asks = Array.from({ length: waiting }, () => observe(pool.acquire()));
      await settle();
      expect(
        asks.some((ask) => ask.settled),
        'law 7: max holds',
      ).toBe(false);
      pool.resize({ minReady: 0, max: 12 });
      await clock.advance(1);
      expect(
        asks.every((ask) => ask.value !== undefined),
        'law 7: served by the resize',
      ).toBe(true);
      pool.resize({ minReady: 0, max: 1 });
      for (const lease of [...leases, ...taken]) await lease.release();
      await clock.advance(1);
      expect(pool.stats().total, 'law 7: those that return go').toBe(Math.max(waiting, 1));
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(60));
});
