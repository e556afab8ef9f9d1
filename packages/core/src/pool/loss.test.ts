import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { WarmvmError } from '../driver/index.ts';
import { makePool, makeReadyPool, observe } from './fixtures/pool-fixture.ts';

const steady = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });

describe('a ready machine', () => {
  test.each(['crashed', 'stopped', 'paused', 'stopping'] as const)(
    'that is %s is evicted and never lent',
    async (state) => {
      const { driver, pool, settle } = await makeReadyPool({ max: 2 });
      driver.forked[0]?.change(state);
      await settle();
      const lease = await pool.acquire();
      expect(lease.machineId).toBe('machine-2');
      expect(driver.forked[0]?.disposals).toBe(1);
      expect(pool.stats().counters.evicted).toBe(1);
    },
  );

  test('that its host has forgotten is evicted', async () => {
    const { driver, pool, settle, clock } = await makeReadyPool({ max: 2 });
    driver.answer('state', { reject: new WarmvmError('WARMVM_MACHINE_GONE', 'no such machine') });
    driver.forked[0]?.endWatches();
    await settle();
    expect(driver.forked[0]?.disposals).toBe(1);
    await clock.advance(10);
    expect(pool.stats().slots.ready).toBe(1);
  });

  test('is watched again when its watch breaks off for no reason', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1 });
    driver.forked[0]?.failWatches(new Error('hiccup'));
    await clock.advance(50);
    expect(driver.forked[0]?.watchers).toBe(1);
    expect(pool.stats().slots.ready).toBe(1);
    driver.forked[0]?.change('crashed');
    await clock.settle();
    expect(driver.forked[0]?.disposals).toBe(1);
  });

  test('is not judged by a change of an earlier generation', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    await (await pool.acquire()).release();
    await settle();
    driver.forked[0]?.change('crashed', 'late news', 1);
    await settle();
    expect(pool.stats().slots.ready).toBe(1);
    expect(driver.forked[0]?.disposals).toBe(0);
  });

  test('is asked for its state when what was seen contradicts the probe', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    driver.answer('probe', 'manual');
    await lease.release();
    await settle();
    driver.forked[0]?.change('crashed');
    await settle();
    driver.answer('probe', 'resolve');
    driver.pending('probe')[0]?.resolve();
    await settle();
    expect(driver.calls('state')).toHaveLength(1);
    expect(driver.forked[0]?.disposals).toBe(1);
    expect((await pool.acquire()).machineId).toBe('machine-2');
  });
});

describe('a lent machine', () => {
  test('that crashes fires the signal of its lease, once, and is destroyed', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    let fired = 0;
    lease.signal.addEventListener('abort', () => fired++);
    driver.forked[0]?.change('crashed', 'triple fault');
    await settle();
    driver.forked[0]?.change('stopped');
    await settle();
    expect(fired).toBe(1);
    expect(lease.status).toBe('lost');
    expect(lease.signal.reason).toMatchObject({
      code: 'WARMVM_MACHINE_CRASHED',
      details: { machineId: 'machine-1', state: 'crashed', reason: 'triple fault', generation: 1 },
    });
    await expect(lease.guest.ping()).rejects.toBe(lease.signal.reason);
    expect(await lease.release()).toEqual({ released: false, reason: 'lost' });
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(pool.stats().counters).toMatchObject({ lost: 1, released: 0 });
  });

  test('that stops is gone, and one that is paused is not', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    driver.forked[0]?.change('paused');
    await settle();
    expect(lease.status).toBe('active');
    driver.forked[0]?.change('stopped');
    await settle();
    expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('that its host has forgotten is gone', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    driver.forked[0]?.failWatches(new WarmvmError('WARMVM_MACHINE_GONE', 'no such machine'));
    await settle();
    expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('a listener of the signal may call the pool', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    const next = new Promise<string>((resolve, reject) => {
      lease.signal.addEventListener('abort', () => {
        pool.acquire().then((other) => resolve(other.machineId), reject);
      });
    });
    driver.forked[0]?.change('crashed');
    await settle();
    expect(await next).toBe('machine-2');
  });
});

describe('the loss of the host', () => {
  test('is reported once for each lease, empties the pool, and makes creation back off', async () => {
    const { driver, pool, clock, events } = await makeReadyPool({ minReady: 2, max: 4, creationBackoff: steady });
    const leases = [await pool.acquire(), await pool.acquire()];
    let fired = 0;
    for (const lease of leases) lease.signal.addEventListener('abort', () => fired++);
    await clock.settle();
    const attempts = (): number => driver.calls('fork').length + driver.calls('ping').length;
    const before = attempts();
    driver.loseHost();
    await clock.settle();
    expect(fired).toBe(2);
    for (const lease of leases) expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    expect(pool.stats().total).toBe(0);
    expect(attempts()).toBe(before);
    await clock.advance(99);
    expect(attempts()).toBe(before);
    await clock.advance(1);
    expect(attempts()).toBe(before + 1);
    expect(events.filter((event) => event.type === 'host-down')).toHaveLength(1);
    expect(pool.stats().counters).toMatchObject({ lost: 2, evicted: 2 });
    await pool.close();
  });

  test('that only a reset notices empties the pool all the same', async () => {
    const { driver, pool, settle } = await makeReadyPool({ minReady: 1, max: 3, creationBackoff: steady });
    const lent = await pool.acquire();
    const other = await pool.acquire();
    await settle();
    driver.answer('reset', { reject: new WarmvmError('WARMVM_HOST_LOST', 'gone') });
    await lent.release();
    await settle();
    expect(other.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    expect(pool.stats().total).toBe(0);
  });

  test('is got over when the host comes back', async () => {
    const { driver, pool, clock, events } = await makeReadyPool({ minReady: 1, max: 2, creationBackoff: steady });
    driver.loseHost(['ping', 'fork', 'reset']);
    await clock.settle();
    const waiter = observe(pool.acquire());
    await clock.advance(150);
    for (const kind of ['ping', 'fork', 'reset'] as const) driver.answer(kind, 'resolve');
    await clock.advance(500);
    expect(waiter.value?.status).toBe('active');
    driver.loseHost(['fork']);
    await clock.settle();
    expect(events.filter((event) => event.type === 'host-down')).toHaveLength(2);
  });
});

describe('a machine that dies while its guest is probed', () => {
  test('counts as a failed creation at once, and not as a success when its guest answers after all', async () => {
    const { driver, pool, clock } = makePool({
      max: 1,
      creationBackoff: steady,
      script: (stub) => stub.answer('probe', (index) => (index === 0 ? 'manual' : 'resolve')),
    });
    await clock.settle();
    expect(pool.stats().slots.settling).toBe(1);
    driver.forked[0]?.failWatches(new WarmvmError('WARMVM_MACHINE_GONE', 'no such machine'));
    await clock.settle();
    expect(pool.stats().counters).toMatchObject({ created: 1, creationsFailed: 1, destroyed: 1 });
    driver.pending('probe')[0]?.resolve();
    await clock.advance(99);
    expect(driver.forked).toHaveLength(1);
    await clock.advance(1);
    expect(pool.stats().slots.ready).toBe(1);
    expect(pool.stats().counters).toMatchObject({ created: 2, creationsFailed: 1 });
    await pool.close();
  });
});
