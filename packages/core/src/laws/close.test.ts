import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePool, observe } from '../pool/fixtures/pool-fixture.ts';
import type { StubCallKind } from '../testing/index.ts';
import { lawRuns } from './fixtures/law-runs.ts';

const stages: readonly StubCallKind[] = ['prepare', 'fork', 'probe', 'reset', 'dispose'];

test.each(stages)(
  'laws 42 and 43: close during %s grants nothing, starts nothing and leaves nothing alive',
  async (stage) => {
    const property = fc.asyncProperty(
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(0, 40, 400),
      async (honoursAbort, isLent, graceMs) => {
        const { pool, driver, clock, settle } = makePool({
          minReady: 2,
          max: 3,
          checkIdleEveryMs: 50,
          prepareTimeoutMs: 5_000,
          stub: { honoursAbort },
        });
        const lease = observe(pool.acquire());
        if (stage === 'prepare' || stage === 'fork') driver.answer(stage, 'manual');
        await settle();
        driver.answer(stage, 'manual');
        if (stage === 'dispose') await lease.value?.discard();
        else if (!isLent) await lease.value?.release();
        await clock.advance(60);
        const waiting = [observe(pool.acquire()), observe(pool.acquire()), observe(pool.acquire())];
        await settle();
        const { acquired } = pool.stats().counters;
        const created = driver.calls('fork').length;
        const closing = pool.close({ graceMs });
        const refused = observe(pool.acquire());
        await settle();
        expect(refused.error, 'law 42').toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
        expect(pool.stats().waiting, 'law 9: close settles who waits').toBe(0);
        for (const ask of [...waiting, refused]) expect(ask.settled, 'law 9: close settles who waits').toBe(true);
        await clock.advance(graceMs);
        for (const call of driver.pending()) call.resolve();
        driver.answer(stage, 'resolve');
        await clock.advance(1_000);
        for (const call of driver.pending()) call.resolve();
        await clock.advance(1_000);
        expect(pool.stats().counters.acquired, 'law 42: no lease is granted').toBe(acquired);
        expect(driver.calls('fork').length, 'law 42: no creation starts').toBe(created);
        expect(pool.stats().state, 'law 42: it ends').toBe('closed');
        expect(driver.footprints, 'law 43: nothing is alive').toBe(0);
        for (const machine of driver.forked) expect(machine.disposals, 'law 43').toBe(1);
        expect(await pool.close(), 'law 43: one report').toBe(await closing);
      },
    );
    await fc.assert(property, lawRuns(15));
  },
);

test('law 42: close is bounded in time, and names what it could not destroy', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 5_000 }),
    async (machines, destroyTimeoutMs) => {
      const { pool, driver, clock } = makePool({ minReady: machines, max: 3, destroyTimeoutMs });
      await pool.ready();
      driver.answer('dispose', 'manual');
      const closing = pool.close();
      await clock.advance(destroyTimeoutMs);
      expect(pool.stats().state, 'law 42: it ends').toBe('closed');
      const names = (await closing).undestroyed.map((left) => left.machineId);
      expect(names, 'law 42: by name').toEqual(driver.forked.map((machine) => machine.id));
    },
  );
  await fc.assert(property, lawRuns(20));
});
