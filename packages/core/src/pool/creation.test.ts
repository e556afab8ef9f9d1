import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { type Driver, WarmvmError } from '../driver/index.ts';
import { createStubDriver } from '../testing/index.ts';
import { makePool, makeReadyPool, observe } from './fixtures/pool-fixture.ts';

const steady = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });

describe('creation', () => {
  test('prepares the golden snapshot once for all forks', async () => {
    const { driver, pool } = await makeReadyPool({ minReady: 3, max: 3 });
    expect(driver.calls('prepare')).toHaveLength(1);
    expect(driver.calls('fork')).toHaveLength(3);
    expect(pool.stats().slots.ready).toBe(3);
  });

  test('prepares the golden snapshot even when no spare is wanted', async () => {
    const { driver, pool } = await makeReadyPool({ minReady: 0 });
    expect(driver.calls('prepare')).toHaveLength(1);
    expect(pool.stats().total).toBe(0);
  });

  test('never has more forks under way than it is allowed', async () => {
    const { driver, settle } = makePool({
      minReady: 5,
      max: 5,
      forkConcurrency: 2,
      script: (stub) => stub.answer('fork', 'manual'),
    });
    await settle();
    expect(driver.pending('fork')).toHaveLength(2);
    driver.pending('fork')[0]?.resolve();
    await settle();
    expect(driver.pending('fork')).toHaveLength(2);
    expect(driver.calls('fork')).toHaveLength(3);
  });

  test('counts what is being destroyed towards max', async () => {
    const { driver, pool, settle } = await makeReadyPool({ minReady: 1, max: 1 });
    driver.answer('dispose', 'manual');
    const lease = await pool.acquire();
    await lease.discard();
    const waiter = observe(pool.acquire());
    await settle();
    expect(pool.stats().slots).toMatchObject({ destroying: 1, creating: 0 });
    expect(waiter.settled).toBe(false);
    driver.pending('dispose')[0]?.resolve();
    await settle();
    expect(waiter.value?.machineId).toBe('machine-2');
    expect(driver.peakFootprints).toBe(1);
  });

  test('a machine is lent only after its guest answered the probe', async () => {
    const { driver, pool, settle } = makePool({ script: (stub) => stub.answer('probe', 'manual') });
    const waiter = observe(pool.acquire());
    await settle();
    expect(pool.stats().slots).toMatchObject({ settling: 2, ready: 0 });
    expect(waiter.settled).toBe(false);
    driver.pending('probe')[0]?.resolve();
    await settle();
    expect(waiter.value?.machineId).toBe('machine-1');
  });

  test('a machine whose probe fails is destroyed and replaced', async () => {
    const { driver, pool, clock } = makePool({
      creationBackoff: steady,
      script: (stub) => stub.answer('probe', (index) => (index === 0 ? { reject: new Error('mute') } : 'resolve')),
    });
    const ready = pool.ready();
    await clock.advance(100);
    await ready;
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(pool.stats().counters).toMatchObject({ created: 2, destroyed: 1, creationsFailed: 1 });
  });

  test('the probe is given the guest, the generation and a signal', async () => {
    const seen: unknown[] = [];
    await makeReadyPool({
      probe: async (guest, { signal, generation }) => {
        await guest.ping();
        seen.push(generation, signal?.aborted);
      },
    });
    expect(seen).toEqual([1, false]);
  });

  test('without a guest agent the state of the machine is the probe', async () => {
    const { driver } = await makeReadyPool({ stub: { capabilities: { guestAgent: false } } });
    expect(driver.calls('probe')).toHaveLength(0);
    expect(driver.calls('state')).toHaveLength(1);
  });

  test('waits at least the delay of the policy between failed attempts, however many wait', async () => {
    const { driver, pool, clock } = makePool({
      creationBackoff: steady,
      breaker: { failures: 1_000 },
      script: (stub) => stub.answer('fork', { reject: new Error('no') }),
    });
    for (let count = 0; count < 50; count += 1) observe(pool.acquire({ timeoutMs: 10_000 }));
    await clock.advance(3_000);
    const times = driver.calls('fork').map((call) => call.atMs);
    const startedTogether = times.filter((time) => time === times[0]).length;
    expect(startedTogether).toBe(4);
    const attempts = [...new Set(times)];
    const gaps = attempts.slice(1).map((time, index) => time - attempts[index]!);
    expect(gaps).toEqual([100, 200, 400, 800, 1_000]);
    expect(times.length - startedTogether).toBe(5);
  });

  test('serves every waiter when creation works again', async () => {
    const { driver, pool, clock } = makePool({
      creationBackoff: steady,
      max: 3,
      script: (stub) => stub.answer('fork', { reject: new Error('no') }),
    });
    const waiters = [1, 2, 3].map(() => observe(pool.acquire()));
    await clock.advance(150);
    driver.answer('fork', 'resolve');
    await clock.advance(200);
    expect(waiters.every((waiter) => waiter.value?.status === 'active')).toBe(true);
    expect(pool.stats().lastCreationError).toBeUndefined();
  });

  test('a synchronous throw of the driver is a failed attempt', async () => {
    const { pool, clock } = makePool({
      creationBackoff: steady,
      script: (stub) => stub.answer('fork', (index) => (index === 0 ? { throw: new Error('thrown') } : 'resolve')),
    });
    const ready = pool.ready();
    await clock.advance(100);
    await ready;
    expect(pool.stats().counters.creationsFailed).toBe(1);
  });

  test('what the listener for the progress of preparing throws changes nothing', async () => {
    const seen: string[] = [];
    const stub = createStubDriver();
    const driver: Driver = {
      ...stub,
      prepare: (image, options) => {
        options.onProgress?.({ step: 'boot' });
        return stub.prepare(image, options);
      },
    };
    await makeReadyPool({
      driver,
      onPrepareProgress: ({ step }, host) => {
        seen.push(`${step} on ${host}`);
        throw new Error('broken listener');
      },
    });
    expect(seen).toEqual(['boot on stub']);
  });

  test('a golden snapshot that is gone is prepared anew', async () => {
    const { driver, pool, clock } = await makeReadyPool({ creationBackoff: steady });
    driver.answer('fork', (index) =>
      index === 1 ? { reject: new WarmvmError('WARMVM_GOLDEN_MISSING', 'gone') } : 'resolve',
    );
    const lease = await pool.acquire();
    await lease.discard();
    const waiter = observe(pool.acquire());
    await clock.advance(200);
    expect(waiter.value?.status).toBe('active');
    expect(driver.calls('prepare')).toHaveLength(2);
  });
});

describe('a creation that settles after its time', () => {
  const options = {
    stub: { honoursAbort: false },
    max: 1,
    forkTimeoutMs: 1_000,
    destroyTimeoutMs: 500,
    creationBackoff: steady,
  };

  test('is destroyed once, and its slot counts until then', async () => {
    const { driver, pool, clock, settle } = makePool({ ...options, script: (stub) => stub.answer('fork', 'manual') });
    await clock.advance(1_000);
    expect(pool.stats().slots).toMatchObject({ creating: 0, destroying: 1 });
    expect(driver.calls('fork')[0]?.signal).toBeDefined();
    await clock.advance(400);
    expect(driver.calls('fork')).toHaveLength(1);
    driver.answer('fork', 'resolve');
    driver.pending('fork')[0]?.resolve();
    await settle();
    expect(driver.forked[0]?.disposals).toBe(1);
    await clock.advance(1_000);
    expect(driver.calls('dispose')).toHaveLength(1);
    expect(pool.stats().slots).toMatchObject({ ready: 1, destroying: 0 });
    expect(driver.peakFootprints).toBe(1);
  });

  test('frees its slot when it fails late', async () => {
    const { driver, pool, clock, settle } = makePool({ ...options, script: (stub) => stub.answer('fork', 'manual') });
    await clock.advance(1_000);
    driver.pending('fork')[0]?.reject(new Error('at last'));
    await settle();
    expect(pool.stats().total).toBe(0);
  });

  test('is quarantined when it never settles, and destroyed if it does after all', async () => {
    const { driver, pool, clock, settle, events } = makePool({
      ...options,
      script: (stub) => stub.answer('fork', 'manual'),
    });
    await clock.advance(1_500);
    expect(pool.stats().slots).toMatchObject({ quarantined: 1, destroying: 0 });
    expect(events.some((event) => event.type === 'quarantined')).toBe(true);
    driver.pending('fork')[0]?.resolve();
    await settle();
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(pool.stats().slots.quarantined).toBe(0);
  });
});

describe('a destroy that fails', () => {
  test('leaves a quarantined slot that counts and is tried again with a growing wait', async () => {
    const { driver, pool, clock, settle } = await makeReadyPool({ max: 1 });
    driver.answer('dispose', (index) => (index < 2 ? { reject: new Error('stuck') } : 'resolve'));
    const lease = await pool.acquire();
    await lease.discard('broken');
    await settle();
    expect(pool.stats().slots.quarantined).toBe(1);
    await clock.advance(5_000);
    expect(driver.calls('dispose')).toHaveLength(3);
    expect(pool.stats().slots).toMatchObject({ quarantined: 0, ready: 1 });
    expect(pool.stats().counters).toMatchObject({ destroyed: 1, destroysFailed: 2 });
    expect(driver.peakFootprints).toBe(1);
  });

  test('is not called a second time while the first is under way', async () => {
    const { driver, pool, clock, settle } = await makeReadyPool({ max: 1, destroyTimeoutMs: 100 });
    driver.answer('dispose', 'manual');
    const lease = await pool.acquire();
    await lease.discard();
    await clock.advance(60_000);
    expect(pool.stats().slots.quarantined).toBe(1);
    expect(driver.calls('dispose')).toHaveLength(1);
    driver.pending('dispose')[0]?.resolve();
    await settle();
    expect(pool.stats().slots).toMatchObject({ quarantined: 0, ready: 1 });
    expect(driver.forked[0]?.disposals).toBe(1);
  });

  test('that rejects after its time is tried again', async () => {
    const { driver, pool, clock, settle } = await makeReadyPool({ max: 1, destroyTimeoutMs: 100 });
    driver.answer('dispose', (index) => (index === 0 ? 'manual' : 'resolve'));
    const lease = await pool.acquire();
    await lease.discard();
    await clock.advance(200);
    driver.pending('dispose')[0]?.reject(new Error('at last'));
    await settle();
    await clock.advance(1_000);
    expect(driver.calls('dispose')).toHaveLength(2);
    expect(pool.stats().slots).toMatchObject({ quarantined: 0, ready: 1 });
  });
});
