import { describe, expect, test } from 'vitest';
import { makeReadyPool, observe } from './fixtures/pool-fixture.ts';

describe('idleness', () => {
  test('destroys what is beyond minReady after its time, and then leaves the pool alone', async () => {
    const { driver, pool, clock } = await makeReadyPool({ minReady: 1, max: 3, maxIdleMs: 1_000 });
    const leases = [await pool.acquire(), await pool.acquire({ timeoutMs: 10 })];
    await clock.settle();
    for (const lease of leases) await lease.release();
    await clock.settle();
    expect(pool.stats().slots.ready).toBe(3);
    await clock.advance(999);
    expect(pool.stats().slots.ready).toBe(3);
    await clock.advance(1);
    expect(pool.stats().slots.ready).toBe(1);
    const calls = (): number => driver.calls().filter(({ kind }) => !['ping', 'list', 'state'].includes(kind)).length;
    const before = calls();
    await clock.advance(1_000_000);
    expect(calls()).toBe(before);
  });
});

describe('age', () => {
  test('replaces a machine make before break', async () => {
    const { driver, pool, clock } = await makeReadyPool({ minReady: 1, max: 2, maxAgeMs: 1_000 });
    driver.answer('fork', 'manual');
    // The jitter of the fixture takes half of a tenth off.
    await clock.advance(950);
    await clock.settle();
    expect(pool.stats().slots).toMatchObject({ ready: 1, creating: 1 });
    expect(driver.forked[0]?.disposals).toBe(0);
    driver.pending('fork')[0]?.resolve();
    await clock.settle();
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(pool.stats().slots).toMatchObject({ ready: 1, creating: 0 });
  });

  test('never takes the last spare where there is no room for another', async () => {
    const { driver, pool, clock } = await makeReadyPool({ minReady: 1, max: 1, maxAgeMs: 1_000 });
    await clock.advance(5_000);
    expect(pool.stats().slots.ready).toBe(1);
    await (await pool.acquire()).release();
    await clock.settle();
    expect(driver.calls('reset')).toHaveLength(0);
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(pool.stats().slots.ready).toBe(1);
  });

  test('differs among machines that were made together', async () => {
    let draw = 0;
    const { driver, clock } = await makeReadyPool({
      minReady: 2,
      max: 4,
      maxAgeMs: 1_000,
      random: () => (draw++ % 2 === 0 ? 0 : 0.9),
    });
    await clock.advance(950);
    expect(driver.forked.filter((machine) => machine.disposals === 1)).toHaveLength(1);
  });

  test('is also counted in turns', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1, maxTurns: 2 });
    for (let turn = 0; turn < 3; turn += 1) {
      await (await pool.acquire()).release();
      await clock.settle();
    }
    expect(driver.calls('reset')).toHaveLength(2);
    expect(driver.forked).toHaveLength(2);
    expect(pool.stats().counters.retired).toBe(1);
  });
});

describe('resize', () => {
  test('upward serves who waits without another event', async () => {
    const { pool, settle } = await makeReadyPool({ minReady: 1, max: 1 });
    await pool.acquire();
    const waiter = observe(pool.acquire());
    await settle();
    pool.resize({ max: 2 });
    await settle();
    expect(waiter.value?.machineId).toBe('machine-2');
  });

  test('downward takes spares at once and lent machines when they return', async () => {
    const { driver, pool, settle } = await makeReadyPool({ minReady: 2, max: 4 });
    const leases = [await pool.acquire(), await pool.acquire()];
    await settle();
    expect(pool.stats().total).toBe(4);
    pool.resize({ minReady: 0, max: 1 });
    await settle();
    expect(pool.stats().slots).toMatchObject({ leased: 2, ready: 0 });
    for (const lease of leases) expect(lease.status).toBe('active');
    await leases[0]?.release();
    await settle();
    expect(driver.calls('reset')).toHaveLength(0);
    await leases[1]?.release();
    await settle();
    expect(driver.calls('reset')).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ total: 1, minReady: 0, max: 1 });
  });

  test('of minReady fills or leaves to idleness', async () => {
    const { pool, clock } = await makeReadyPool({ minReady: 1, max: 4, maxIdleMs: 100 });
    pool.resize({ minReady: 3 });
    await clock.settle();
    expect(pool.stats().slots.ready).toBe(3);
    pool.resize({ minReady: 1 });
    await clock.advance(100);
    expect(pool.stats().slots.ready).toBe(1);
  });

  test('refuses what cannot be and leaves everything as it was', async () => {
    const { pool } = await makeReadyPool({ minReady: 2, max: 4 });
    expect(() => pool.resize({ max: 1 })).toThrow(/minReady is 2 and max is 1/);
    expect(() => pool.resize({ size: 1 } as never)).toThrow(/size\.size is not an option/);
    expect(pool.stats()).toMatchObject({ minReady: 2, max: 4 });
  });
});

describe('suspend', () => {
  test('grants nothing, keeps deadlines running, and resume serves in order', async () => {
    const { pool, clock, events } = await makeReadyPool({ minReady: 2, max: 2 });
    pool.suspend();
    pool.suspend();
    const hasty = observe(pool.acquire({ timeoutMs: 10 }));
    const patient = observe(pool.acquire());
    expect(() => pool.tryAcquire()).toThrow(expect.objectContaining({ code: 'WARMVM_POOL_EXHAUSTED' }));
    await clock.advance(10);
    expect(hasty.error).toMatchObject({ code: 'WARMVM_ACQUIRE_TIMEOUT' });
    expect(patient.settled).toBe(false);
    expect(pool.stats().state).toBe('suspended');
    pool.resume();
    pool.resume();
    await clock.settle();
    expect(patient.value?.status).toBe('active');
    expect(events.filter((event) => event.type === 'suspended' || event.type === 'resumed')).toHaveLength(2);
  });
});
