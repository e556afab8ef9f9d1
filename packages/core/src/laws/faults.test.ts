import { expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { makePool } from '../pool/fixtures/pool-fixture.ts';
import type { StubAnswer, StubCallKind } from '../testing/index.ts';

const answers: readonly StubAnswer[] = [
  'resolve',
  { reject: new Error('rejected') },
  { throw: new Error('thrown') },
  'manual',
];
const sites: readonly StubCallKind[] = ['prepare', 'fork', 'probe', 'reset', 'dispose'];

/** One pool under one answer for each of the calls: an acquire, a release and a close, after which all must be settled. */
async function runOne(choice: number): Promise<void> {
  const chosen = sites.map((_, site) => answers[Math.floor(choice / answers.length ** site) % answers.length]!);
  const told = JSON.stringify(chosen);
  const { pool, driver, clock } = makePool({
    minReady: 1,
    max: 2,
    prepareTimeoutMs: 50,
    forkTimeoutMs: 50,
    probeTimeoutMs: 50,
    resetTimeoutMs: 50,
    destroyTimeoutMs: 50,
    creationBackoff: Backoff.exponential({ baseMs: 100, capMs: 200, jitter: 'none' }),
    script: (stub) => {
      for (const [site, kind] of sites.entries()) stub.answer(kind, chosen[site]!);
    },
  });
  let settled = 0;
  for (let ask = 0; ask < 2; ask += 1) {
    pool.acquire({ timeoutMs: 300 }).then(
      (lease) => {
        settled += 1;
        return lease.release();
      },
      () => {
        settled += 1;
      },
    );
  }
  await clock.advance(400);
  expect(settled, `law 9: every acquire settles with ${told}`).toBe(2);
  expect(driver.peakFootprints, `law 1: ${told}`).toBeLessThanOrEqual(2);
  const closing = pool.close();
  await clock.advance(500);
  expect(pool.stats().state, `law 42: close ends with ${told}`).toBe('closed');
  const report = await closing;
  const alive = driver.footprints;
  expect(report.undestroyed.length, `law 42: close names what is left with ${told}`).toBe(alive);
}

test('law 37: any mix of success, rejection, throw and silence over all calls leaves nothing unsettled or unhandled', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    for (let choice = 0; choice < answers.length ** sites.length; choice += 1) await runOne(choice);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  expect(unhandled, 'law 37').toEqual([]);
}, 60_000);
