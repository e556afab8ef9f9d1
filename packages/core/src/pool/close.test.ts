import { describe, expect, test } from 'vitest';
import { makePool, makeReadyPool, observe } from './fixtures/pool-fixture.ts';

describe('close', () => {
  test('refuses new callers and rejects those in line at once, and destroys what is ready', async () => {
    const { driver, pool, settle } = await makeReadyPool({ minReady: 2, max: 2 });
    await pool.acquire();
    await pool.acquire();
    const waiter = observe(pool.acquire());
    const ready = observe(pool.ready());
    const closed = observe(pool.close({ graceMs: 1_000 }));
    await settle();
    expect(waiter.error).toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    expect(ready.error).toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    expect(() => pool.tryAcquire()).toThrow(expect.objectContaining({ code: 'WARMVM_POOL_CLOSED' }));
    await expect(pool.ready()).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    expect(closed.settled).toBe(false);
    expect(pool.stats().state).toBe('closing');
    expect(driver.machines.size).toBe(2);
  });

  test('waits for leases during their grace', async () => {
    const { driver, pool, clock, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    const closed = observe(pool.close({ graceMs: 1_000 }));
    await clock.advance(400);
    expect(lease.status).toBe('active');
    await lease.release();
    await settle();
    expect(closed.value).toEqual({ durationMs: 400, revoked: [], undestroyed: [] });
    expect(driver.machines.size).toBe(0);
    expect(driver.calls('reset')).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('revokes leases after the grace and names them', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    const { signal } = lease;
    const closed = observe(pool.close({ graceMs: 1_000 }));
    await clock.advance(1_000);
    expect(lease.status).toBe('revoked');
    expect(signal.reason).toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    expect(closed.value?.revoked).toEqual([{ host: 'stub', machineId: 'machine-1', turn: 1 }]);
    expect(driver.machines.size).toBe(0);
    expect(pool.stats()).toMatchObject({ state: 'closed', total: 0, counters: { revoked: 1 } });
  });

  test('is idempotent: every call gets the same report, and a later one may shorten the grace', async () => {
    const { pool, clock } = await makeReadyPool({ max: 1 });
    await pool.acquire();
    const first = observe(pool.close({ graceMs: 10_000 }));
    await clock.advance(10);
    const second = observe(pool.close({ graceMs: 0 }));
    await clock.settle();
    expect(first.value).toBeDefined();
    expect(second.value).toBe(first.value);
    expect(await pool.close()).toBe(first.value);
  });

  test('that is aborted stops waiting while the closing goes on', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1 });
    await pool.acquire();
    const controller = new AbortController();
    const closed = observe(pool.close({ graceMs: 1_000, signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error('no patience'));
    await clock.settle();
    expect(closed.error).toBe(controller.signal.reason);
    await clock.advance(1_000);
    expect(driver.machines.size).toBe(0);
    expect(pool.stats().state).toBe('closed');
  });

  test('rejects bad options by name', async () => {
    const { pool } = await makeReadyPool();
    await expect(pool.close({ graceMs: -1 })).rejects.toThrow(/graceMs is -1/);
    expect(pool.stats().state).toBe('open');
  });

  test('keeps the process alive until it has ended', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1 });
    driver.answer('dispose', 'manual');
    const closed = observe(pool.close());
    await clock.settle();
    expect(clock.holdingTimers).toBe(1);
    driver.pending('dispose')[0]?.resolve();
    await clock.settle();
    expect(closed.settled).toBe(true);
    expect(clock.holdingTimers).toBe(0);
  });

  test('by await using destroys everything', async () => {
    const { driver, pool } = await makeReadyPool({ minReady: 3 });
    {
      await using closing = pool;
      expect(closing.stats().slots.ready).toBe(3);
    }
    expect(driver.machines.size).toBe(0);
  });
});

describe('close in the middle of', () => {
  const phases = ['prepare', 'fork', 'probe', 'reset', 'dispose', 'list'] as const;

  test.each(phases)('a %s leaves nothing alive', async (phase) => {
    const { driver, pool, settle } = makePool({
      minReady: 2,
      max: 2,
      sweep: true,
      script: (stub) => stub.answer(phase, 'manual'),
    });
    await settle();
    if (phase === 'reset' || phase === 'dispose') {
      const lease = await pool.acquire();
      if (phase === 'reset') await lease.release();
      else await lease.discard();
      await settle();
    }
    expect(driver.pending(phase).length).toBeGreaterThan(0);
    const closed = observe(pool.close());
    await settle();
    for (const call of driver.pending()) call.resolve();
    await settle();
    expect(closed.value?.undestroyed).toEqual([]);
    expect(driver.footprints).toBe(0);
    expect(driver.forked.every((machine) => machine.disposals === 1)).toBe(true);
    expect(pool.stats().total).toBe(0);
  });

  test('a fork that takes no notice is bounded and named, and its machine is destroyed when it comes after all', async () => {
    const { driver, pool, clock } = makePool({
      max: 1,
      destroyTimeoutMs: 500,
      stub: { honoursAbort: false },
      script: (stub) => stub.answer('fork', 'manual'),
    });
    await clock.settle();
    const closed = observe(pool.close());
    await clock.advance(499);
    expect(closed.settled).toBe(false);
    await clock.advance(1);
    expect(closed.value?.undestroyed).toEqual([
      { host: 'stub', machineId: null, error: expect.objectContaining({ code: 'WARMVM_FORK_FAILED' }) },
    ]);
    driver.pending('fork')[0]?.resolve();
    await clock.settle();
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(driver.calls('fork')).toHaveLength(1);
  });

  test('a quarantine tries once more and names what it could not destroy', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1 });
    const stuck = new Error('stuck');
    driver.answer('dispose', { reject: stuck });
    await (await pool.acquire()).discard();
    await clock.settle();
    expect(pool.stats().slots.quarantined).toBe(1);
    const report = await pool.close();
    expect(driver.calls('dispose')).toHaveLength(2);
    expect(report.undestroyed).toEqual([
      {
        host: 'stub',
        machineId: 'machine-1',
        error: expect.objectContaining({ code: 'WARMVM_HOST_OPERATION', cause: stuck }),
      },
    ]);
    await clock.advance(120_000);
    expect(driver.calls('dispose')).toHaveLength(2);
  });

  test('nothing at all, before the pool has even started', async () => {
    const { driver, pool, settle } = makePool({ sweep: true });
    const report = await pool.close();
    await settle();
    expect(report).toMatchObject({ revoked: [], undestroyed: [] });
    expect(driver.calls('fork')).toHaveLength(0);
    expect(driver.calls('prepare')).toHaveLength(0);
  });

  test('a grace in which the host is lost tells the holder', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    const closed = observe(pool.close({ graceMs: 10_000 }));
    driver.loseHost();
    await clock.settle();
    expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    expect(closed.value?.revoked).toEqual([]);
  });
});
