import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePool, makeReadyPool, observe } from '../pool/fixtures/pool-fixture.ts';
import { lawRuns, seededRandom } from './fixtures/law-runs.ts';
import { makeWorld } from './fixtures/world.ts';

const seed = fc.integer({ min: 0, max: 2 ** 31 });

test('law 38: idleness and age never bring the ready ones below minReady', async () => {
  const property = fc.asyncProperty(
    seed,
    fc.nat({ max: 3 }),
    fc.array(fc.nat({ max: 900 }), { maxLength: 30 }),
    async (from, minReady, pauses) => {
      const world = makeWorld({
        minReady,
        max: 6,
        maxIdleMs: 500,
        maxAgeMs: 2_000,
        checkIdleEveryMs: Infinity,
        random: seededRandom(from),
      });
      const { pool, driver, clock } = world.fixture;
      driver.answer('fork', { delayMs: 20 });
      await clock.advance(1_000);
      for (const [index, pauseMs] of pauses.entries()) {
        pool.acquire({ leaseMs: 1 + (index % 3) * 200 }).catch(() => {});
        await clock.advance(pauseMs);
      }
      let ready = 0;
      for (const event of world.events) {
        if (event.type !== 'slot-changed') continue;
        if (event.to === 'ready') ready += 1;
        if (event.from === 'ready') ready -= 1;
        if (event.from === 'ready' && event.to === 'destroying')
          expect(ready, 'law 38').toBeGreaterThanOrEqual(minReady);
      }
      await pool.close();
      world.end();
    },
  );
  await fc.assert(property, lawRuns(60));
});

test('law 39: machines that were made together do not go together', async () => {
  const property = fc.asyncProperty(seed, async (from) => {
    const { pool, clock, driver, events } = await makeReadyPool({
      minReady: 5,
      max: 10,
      maxAgeMs: 10_000,
      random: seededRandom(from),
    });
    driver.answer('fork', { delayMs: 20 });
    await clock.advance(10_500);
    const retiredAtMs = events
      .filter((event) => event.type === 'slot-changed' && event.from === 'ready' && event.to === 'destroying')
      .map((event) => event.atMs);
    expect(retiredAtMs, 'law 39: all were replaced').toHaveLength(5);
    expect(new Set(retiredAtMs).size, 'law 39: each at its time').toBe(5);
    await pool.close();
  });
  await fc.assert(property, lawRuns(30));
});

test('law 40: a machine under check is neither lent nor put away, and is lent at once when it passes', async () => {
  const property = fc.asyncProperty(fc.boolean(), fc.integer({ min: 0, max: 900 }), async (isWell, waitMs) => {
    const { pool, driver, clock, settle } = await makeReadyPool({
      minReady: 1,
      max: 1,
      maxIdleMs: 100,
      checkIdleEveryMs: 1_000,
    });
    driver.answer('probe', (index) => (index === 1 ? 'manual' : 'resolve'));
    await clock.advance(1_000);
    const [check] = driver.pending('probe');
    expect(check, 'law 40: an idle machine is checked').toBeDefined();
    expect(pool.stats().slots, 'law 40: held').toMatchObject({ ready: 0, settling: 1 });
    const ask = observe(pool.acquire());
    pool.resize({ minReady: 0 });
    await clock.advance(waitMs);
    expect(ask.settled, 'law 40: not lent').toBe(false);
    expect(driver.calls('dispose'), 'law 40: not put away').toHaveLength(0);
    if (isWell) check?.resolve();
    else check?.reject(new Error('mute'));
    await settle();
    expect(ask.value?.machineId, 'law 40: lent at once, or replaced').toBe(isWell ? 'machine-1' : 'machine-2');
    expect(pool.stats().counters.evicted, 'law 40').toBe(isWell ? 0 : 1);
    await pool.close();
  });
  await fc.assert(property, lawRuns(30));
});

test('law 40: checks go one at a time, at jittered times, and do not keep a machine from going idle', async () => {
  const property = fc.asyncProperty(seed, async (from) => {
    const { pool, driver, clock } = makePool({
      minReady: 5,
      max: 5,
      checkIdleEveryMs: 1_000,
      maxIdleMs: 5_000,
      random: seededRandom(from),
    });
    await pool.ready();
    driver.answer('probe', { delayMs: 7 });
    pool.resize({ minReady: 2 });
    for (let step = 0; step < 440; step += 1) {
      await clock.advance(10);
      expect(driver.pending('probe').length, 'law 40: one at a time').toBeLessThanOrEqual(1);
    }
    const times = driver
      .calls('probe')
      .slice(5)
      .map((call) => call.atMs);
    expect(times.length, 'law 40: each about every second').toBeGreaterThanOrEqual(20);
    expect(new Set(times).size, 'law 40: jittered').toBe(times.length);
    await clock.advance(1_000);
    expect(pool.stats().slots.ready + pool.stats().slots.settling, 'law 40: idleness goes on').toBe(2);
    await pool.close();
  });
  await fc.assert(property, lawRuns(8));
});

test('law 41: with no traffic the pool reaches its floor and stays there', async () => {
  const property = fc.asyncProperty(
    fc.nat({ max: 3 }),
    fc.nat({ max: 6 }),
    fc.boolean(),
    async (minReady, burst, isChecked) => {
      const { pool, driver, clock } = makePool({
        minReady,
        max: 6,
        maxIdleMs: 2_000,
        ...(isChecked ? { checkIdleEveryMs: 300 } : {}),
      });
      driver.answer('fork', { delayMs: 50 });
      const asks = Array.from({ length: burst }, () =>
        pool.acquire({ leaseMs: 500, timeoutMs: 2_000 }).catch(() => {}),
      );
      await clock.advance(10_000);
      await Promise.all(asks);
      const { slots, counters, total } = pool.stats();
      expect(total, 'law 41: the floor').toBe(minReady);
      await clock.advance(60_000);
      const later = pool.stats();
      expect(later.slots.ready, 'law 41').toBe(slots.ready);
      expect(later.counters.created, 'law 41: no creation later').toBe(counters.created);
      expect(later.counters.destroyed, 'law 41: no destroy later').toBe(counters.destroyed);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(50));
});
