import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeReadyPool, observe } from '../pool/fixtures/pool-fixture.ts';
import type { StubAnswer } from '../testing/index.ts';
import { lawRuns } from './fixtures/law-runs.ts';

const failing = fc.constantFrom<StubAnswer>(
  { reject: new Error('scripted') },
  { throw: new Error('scripted') },
  'manual',
  { delayMs: 20, answer: { reject: new Error('scripted') } },
  { delayMs: 5_000 },
);

test('law 27: resets of one machine never overlap, and a destroy during one cancels it once', async () => {
  const property = fc.asyncProperty(fc.boolean(), fc.integer({ min: 1, max: 3 }), async (honoursAbort, rounds) => {
    const { pool, driver, settle, clock } = await makeReadyPool({ minReady: 1, max: 1, stub: { honoursAbort } });
    driver.answer('reset', 'manual');
    for (let round = 0; round < rounds; round += 1) {
      const lease = await pool.acquire();
      await lease.release();
      await lease.release();
      await settle();
      expect(driver.pending('reset'), 'law 27: one at a time').toHaveLength(1);
      expect(driver.calls('reset'), 'law 27: one for each turn').toHaveLength(round + 1);
      if (round < rounds - 1) driver.pending('reset')[0]?.resolve();
      await settle();
    }
    const [reset] = driver.calls('reset').slice(-1);
    const closing = pool.close();
    await settle();
    expect(reset?.signal?.aborted, 'law 27: destroy cancels the reset').toBe(true);
    reset?.resolve();
    await clock.advance(10_000);
    await closing;
    expect(driver.calls('dispose'), 'law 27: and destroys once').toHaveLength(1);
  });
  await fc.assert(property, lawRuns(30));
});

test('law 28: a reset that fails never leads to ready, and the waiter it was meant for keeps its place', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom('reset' as const, 'probe' as const),
    failing,
    fc.constantFrom<StubAnswer>('resolve', { reject: new Error('scripted') }),
    async (kind, how, dispose) => {
      const { pool, driver, clock, events } = await makeReadyPool({
        minReady: 1,
        max: 2,
        resetTimeoutMs: 100,
        probeTimeoutMs: 100,
      });
      const lease = await pool.acquire();
      await clock.advance(1);
      const other = await pool.acquire();
      const [first, second] = [observe(pool.acquire()), observe(pool.acquire())];
      const callsBefore = driver.calls(kind).length;
      driver.answer(kind, (index) => (index === callsBefore ? how : 'resolve'));
      driver.answer('dispose', (index) => (index === 0 ? dispose : 'resolve'));
      await lease.release();
      await clock.advance(200);
      const moves = events.filter((event) => event.type === 'slot-changed' && event.slot === lease.slot);
      expect(
        moves.slice(-4).some((move) => move.type === 'slot-changed' && move.to === 'ready'),
        'law 28',
      ).toBe(false);
      await clock.advance(70_000);
      expect(first.value?.machineId, 'law 28: the next machine is for the first').not.toBe(undefined);
      expect(first.value?.machineId, 'law 28').not.toBe(lease.machineId);
      expect(second.settled && second.value !== undefined, 'law 28: the second did not overtake').toBe(false);
      expect(other.status).toBe('active');
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(60));
});

test('law 30: what was seen of an earlier generation neither makes the next ready nor unfit', async () => {
  const { pool, driver, settle } = await makeReadyPool({ minReady: 1, max: 1 });
  const lease = await pool.acquire();
  const [machine] = driver.forked;
  driver.answer('probe', 'manual');
  driver.answer('reset', 'manual');
  await lease.release();
  await settle();
  machine?.change('running', 'late', 1);
  await settle();
  expect(pool.stats().slots, 'law 30: running of generation 1 is no readiness of 2').toMatchObject({ resetting: 1 });
  driver.pending('reset')[0]?.resolve();
  await settle();
  expect(pool.stats().slots, 'law 30: nor is running of generation 2, before its probe').toMatchObject({ settling: 1 });
  driver.pending('probe')[0]?.resolve();
  await settle();
  expect(pool.stats().slots.ready).toBe(1);
  machine?.change('crashed', 'late', 1);
  await settle();
  expect(pool.stats().slots.ready, 'law 30: nor does the end of generation 1 end 2').toBe(1);
  await pool.close();
});
