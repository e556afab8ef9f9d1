import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeReadyPool, type PoolFixture } from '../pool/fixtures/pool-fixture.ts';
import { lawRuns } from './fixtures/law-runs.ts';

test('law 21: a lease of an earlier turn has no effect on the present holder, and says so', async () => {
  const uses = fc.array(fc.constantFrom('release', 'discard', 'renew', 'ping', 'state', 'dispose'), { maxLength: 6 });
  const property = fc.asyncProperty(uses, async (stale) => {
    const { pool, driver, settle } = await makeReadyPool({ minReady: 1, max: 1 });
    const old = await pool.acquire();
    await old.release();
    await settle();
    const present = await pool.acquire();
    expect(present.machineId).toBe(old.machineId);
    const callsBefore = driver.calls().length;
    for (const how of stale) {
      if (how === 'release' || how === 'discard') {
        expect(await old[how](), 'law 21').toEqual({ released: false, reason: 'released' });
      } else if (how === 'dispose') await old[Symbol.asyncDispose]();
      else {
        const using = how === 'renew' ? old.renew() : how === 'ping' ? old.guest.ping() : old.state();
        await expect(using, 'law 21').rejects.toMatchObject({ code: 'WARMVM_LEASE_RELEASED' });
      }
    }
    await settle();
    expect(present.status, 'law 21').toBe('active');
    expect(driver.calls().length, 'law 21: the driver is not even asked').toBe(callsBefore);
    await pool.close();
  });
  await fc.assert(property, lawRuns(60));
});

test('law 23: an expired lease is revoked once, its signal fires, and its machine is reset before it is lent again', async () => {
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 5_000 }), async (leaseMs) => {
    const { pool, driver, clock, events } = await makeReadyPool({ minReady: 1, max: 1 });
    const lease = await pool.acquire({ leaseMs });
    let fired = 0;
    lease.signal.addEventListener('abort', () => {
      fired += 1;
    });
    const next = pool.acquire();
    await clock.advance(leaseMs - 0.5);
    expect(fired, 'law 23: not before its time').toBe(0);
    await clock.advance(0.5);
    expect(fired, 'law 23').toBe(1);
    expect(lease.signal.reason, 'law 23').toMatchObject({ code: 'WARMVM_LEASE_EXPIRED' });
    await clock.advance(10_000);
    expect(fired, 'law 23: once').toBe(1);
    expect((await next).generation, 'law 23').toBe(2);
    expect(driver.calls('reset'), 'law 23').toHaveLength(1);
    expect(events.filter((event) => event.type === 'lease-ended' && event.turn === 1)).toHaveLength(1);
    await pool.close();
  });
  await fc.assert(property, lawRuns(40));
});

const bodies = ['returns', 'throws', 'aborts'] as const;

test.each(bodies)('law 24: await using releases when the body %s, and masks no error', async (how) => {
  const { pool, driver, settle } = await makeReadyPool({ minReady: 1, max: 1 });
  // Everything after the release fails, which is no matter of the body's.
  driver.answer('reset', { throw: new Error('reset failed') });
  driver.answer('dispose', { throw: new Error('dispose failed') });
  const error = new Error(how);
  const controller = new AbortController();
  const body = async (): Promise<string> => {
    await using lease = await pool.acquire();
    driver.answer('probe', 'manual');
    if (how === 'returns') return lease.machineId;
    if (how === 'throws') throw error;
    const pinging = lease.guest.ping({ signal: controller.signal });
    controller.abort(error);
    await pinging;
    return '';
  };
  if (how === 'returns') expect(await body(), 'law 24').toBe('machine-1');
  else await expect(body(), 'law 24').rejects.toBe(error);
  await settle();
  expect(pool.stats().counters.released, 'law 24').toBe(1);
  expect(pool.stats().slots.leased, 'law 24').toBe(0);
});

/** Runs the garbage collector until something is true; gives up after some rounds. */
async function collectUntil(isTrue: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 50 && !isTrue(); round += 1) {
    collect();
    await setImmediate();
  }
}

async function acquireAndForget({ pool, clock }: PoolFixture): Promise<void> {
  await pool.acquire({ leaseMs: 60_000 });
  await clock.advance(1_000);
}

test('law 25: a lease abandoned to the garbage collector is reported, and goes on until it expires', async () => {
  const fixture = await makeReadyPool({ minReady: 1, max: 1 });
  const { pool, clock, events } = fixture;
  await acquireAndForget(fixture);
  await collectUntil(() => pool.stats().counters.abandoned > 0);
  await fixture.settle();
  expect(pool.stats().counters.abandoned, 'law 25').toBe(1);
  expect(events, 'law 25').toContainEqual(
    expect.objectContaining({ type: 'lease-abandoned', slot: 1, turn: 1, machineId: 'machine-1' }),
  );
  expect(pool.stats().slots.leased, 'law 25: not reclaimed').toBe(1);
  await clock.advance(60_000);
  expect(pool.stats().counters, 'law 25').toMatchObject({ expired: 1, released: 0 });
  await pool.close();
}, 60_000);

test('law 25: a lease whose guest is in use, or that was released, is not reported', async () => {
  const fixture = await makeReadyPool({ minReady: 2, max: 2 });
  const { pool, clock } = fixture;
  const { guest } = await pool.acquire({ leaseMs: 600_000 });
  const released = await pool.acquire();
  await clock.advance(1_000);
  await released.release();
  await collectUntil(() => pool.stats().counters.abandoned > 0);
  await guest.ping();
  expect(pool.stats().counters.abandoned, 'law 25').toBe(0);
  await pool.close();
}, 60_000);
