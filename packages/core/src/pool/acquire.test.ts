import { describe, expect, test } from 'vitest';
import { isWarmvmError, type WarmvmError } from '../driver/index.ts';
import { makePool, makeReadyPool, observe } from './fixtures/pool-fixture.ts';

describe('acquire', () => {
  test('takes a ready machine at once, without I/O and without a timer of the line', async () => {
    const { pool, driver, clock } = await makeReadyPool({ minReady: 1, max: 1 });
    const callsBefore = driver.calls().length;
    const lease = await pool.acquire();
    expect(lease.machineId).toBe('machine-1');
    expect(lease.turn).toBe(1);
    expect(driver.calls().length).toBe(callsBefore);
    expect(clock.holdingTimers).toBe(0);
    expect(pool.stats().counters).toMatchObject({ acquired: 1, warm: 1, waited: 0 });
  });

  test('shows the ports that lead to the machine, as long as it is lent', async () => {
    const { pool, driver } = await makeReadyPool({ minReady: 1, max: 1 });
    const forwards = [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 40_000, guestPort: 22 }] as const;
    for (const machine of driver.forked) machine.forwards = forwards;
    const lease = await pool.acquire();
    expect(lease.forwards).toEqual(forwards);
    await lease.release();
    expect(lease.forwards).toEqual([]);
  });

  test('refills the spare behind the one that was lent', async () => {
    const { pool, settle } = await makeReadyPool({ minReady: 2, max: 4 });
    await pool.acquire();
    await settle();
    expect(pool.stats().slots).toMatchObject({ leased: 1, ready: 2 });
    expect(pool.stats().total).toBe(3);
  });

  test('serves those who wait in order of arrival', async () => {
    const { pool, settle, clock } = await makeReadyPool({ minReady: 1, max: 1 });
    const first = await pool.acquire();
    const order: string[] = [];
    const waiting = ['a', 'b', 'c'].map(async (name) => {
      const lease = await pool.acquire();
      order.push(name);
      await lease.release();
    });
    await settle();
    expect(pool.stats().waiting).toBe(3);
    await first.release();
    await clock.advance(1);
    await Promise.all(waiting);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  test('one that leaves the line does not change the order of the others', async () => {
    const { pool, settle } = await makeReadyPool({ minReady: 1, max: 1 });
    const first = await pool.acquire();
    const controller = new AbortController();
    const gone = observe(pool.acquire({ signal: controller.signal }));
    const next = observe(pool.acquire());
    const last = observe(pool.acquire());
    controller.abort(new Error('changed my mind'));
    await first.release();
    await settle();
    expect(gone.error).toBe(controller.signal.reason);
    expect(next.value?.machineId).toBe('machine-1');
    expect(last.settled).toBe(false);
    await pool.close();
  });

  test('gives up at its deadline with the gauges, the phase times and the last creation error', async () => {
    const failure = new Error('no room on the host');
    const { pool, clock, settle } = makePool({
      minReady: 1,
      max: 2,
      script: (driver) => driver.answer('fork', { reject: failure }),
    });
    const waiter = observe(pool.acquire({ timeoutMs: 1_000 }));
    await clock.advance(999);
    expect(waiter.settled).toBe(false);
    await clock.advance(1);
    await settle();
    const error = waiter.error as WarmvmError;
    expect(isWarmvmError(error, 'WARMVM_ACQUIRE_TIMEOUT')).toBe(true);
    expect(error.retryable).toBe(true);
    expect(error.cause).toMatchObject({ code: 'WARMVM_FORK_FAILED', cause: failure });
    expect(error.details).toMatchObject({
      waitedMs: 1_000,
      gauges: { ready: 0, leased: 0, waiting: 0, max: 2 },
      phases: { prepare: 0, fork: 0, probe: null },
    });
    expect(pool.stats().counters.timedOut).toBe(1);
    await pool.close();
  });

  test('a jump of the wall clock changes no deadline', async () => {
    const { pool, clock } = makePool({ script: (driver) => driver.answer('fork', 'manual') });
    const waiter = observe(pool.acquire({ timeoutMs: 1_000 }));
    clock.jumpWallTime(10_000_000);
    await clock.advance(999);
    expect(waiter.settled).toBe(false);
    await clock.advance(1);
    expect(waiter.settled).toBe(true);
  });

  test('10,000 waiters on one timer are rejected together and leave nothing behind', async () => {
    const { pool, clock, settle } = makePool({
      maxWaiting: 10_000,
      script: (driver) => driver.answer('fork', 'manual'),
    });
    await settle();
    const timersBefore = clock.holdingTimers;
    const waiters = Array.from({ length: 10_000 }, () => observe(pool.acquire({ timeoutMs: 50 })));
    expect(clock.holdingTimers).toBe(timersBefore + 1);
    await clock.advance(50);
    expect(waiters.every((waiter) => isWarmvmError(waiter.error, 'WARMVM_ACQUIRE_TIMEOUT'))).toBe(true);
    expect(pool.stats().waiting).toBe(0);
    expect(clock.holdingTimers).toBe(0);
  });

  test('is refused at the bound of the line and leaves the pool unchanged', async () => {
    const { pool, settle } = await makeReadyPool({ minReady: 1, max: 1, maxWaiting: 1 });
    await pool.acquire();
    observe(pool.acquire());
    await settle();
    const before = { ...pool.stats(), counters: undefined };
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'WARMVM_POOL_EXHAUSTED', retryable: true });
    expect({ ...pool.stats(), counters: undefined }).toEqual(before);
    await pool.close();
  });

  test('with timeoutMs 0 never enters the line', async () => {
    const { pool } = await makeReadyPool({ minReady: 1, max: 1 });
    const lease = await pool.acquire({ timeoutMs: 0 });
    await expect(pool.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'WARMVM_POOL_EXHAUSTED' });
    expect(pool.stats().waiting).toBe(0);
    expect(lease.status).toBe('active');
  });

  test('tryAcquire lends what is ready and throws when nothing is', async () => {
    const { pool } = await makeReadyPool({ minReady: 1, max: 1 });
    expect(pool.tryAcquire({ leaseMs: 5 }).status).toBe('active');
    expect(() => pool.tryAcquire()).toThrow(expect.objectContaining({ code: 'WARMVM_POOL_EXHAUSTED' }));
    expect(pool.stats().counters.refused).toBe(1);
  });

  test('rejects bad options by name', async () => {
    const { pool } = await makeReadyPool();
    await expect(pool.acquire({ timeoutMs: -1 })).rejects.toThrow(/timeoutMs is -1/);
    await expect(pool.acquire({ leaseMs: 0 })).rejects.toThrow(/leaseMs is 0/);
    await expect(pool.acquire({ signal: {} as AbortSignal })).rejects.toThrow(/signal is an object/);
    await expect(pool.acquire({ priority: 5 })).rejects.toThrow(/priority is 5; expected a whole number from -4 to 4/);
    await expect(pool.acquire(5 as never)).rejects.toThrow(/options is 5/);
    expect(pool.stats().counters.acquired).toBe(0);
  });

  test('a waiter serves itself from a creation that another waiter caused', async () => {
    const { pool, driver, settle } = makePool({
      minReady: 0,
      max: 1,
      script: (stub) => stub.answer('fork', 'manual'),
    });
    await settle();
    const controller = new AbortController();
    observe(pool.acquire({ signal: controller.signal }));
    await settle();
    const [fork] = driver.pending('fork');
    controller.abort();
    expect(fork?.signal?.aborted).toBe(false);
    const next = observe(pool.acquire());
    fork?.resolve();
    await settle();
    expect(next.value?.machineId).toBe('machine-1');
    expect(driver.calls('fork')).toHaveLength(1);
  });
});

describe('abort of acquire', () => {
  function countingSignal(): { controller: AbortController; listeners: () => number } {
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>): void => {
      listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>): void => {
      listeners -= 1;
      remove(...parameters);
    };
    return { controller, listeners: () => listeners };
  }

  test('before the call rejects with the reason and takes nothing', async () => {
    const { pool } = await makeReadyPool();
    const reason = new Error('too late');
    await expect(pool.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(pool.stats().slots).toMatchObject({ ready: 1, leased: 0 });
    expect(pool.stats().counters.aborted).toBe(1);
  });

  test('in line rejects with the reason and leaves no listener', async () => {
    const { pool } = await makeReadyPool({ minReady: 1, max: 1 });
    await pool.acquire();
    const { controller, listeners } = countingSignal();
    const waiter = observe(pool.acquire({ signal: controller.signal }));
    expect(listeners()).toBe(1);
    controller.abort(new Error('changed my mind'));
    await Promise.resolve();
    expect(waiter.error).toBe(controller.signal.reason);
    expect(listeners()).toBe(0);
    expect(pool.stats().waiting).toBe(0);
  });

  test('after the grant does nothing, and no listener is left by a warm or a waited grant', async () => {
    const { pool, settle } = await makeReadyPool({ minReady: 1, max: 1 });
    const { controller, listeners } = countingSignal();
    const warm = await pool.acquire({ signal: controller.signal });
    const waited = observe(pool.acquire({ signal: controller.signal }));
    await warm.release();
    await settle();
    expect(waited.value?.status).toBe('active');
    expect(listeners()).toBe(0);
    controller.abort();
    await settle();
    expect(waited.value?.status).toBe('active');
  });
});
