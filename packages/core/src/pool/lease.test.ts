import { describe, expect, test } from 'vitest';
import type { StubAnswer } from '../testing/index.ts';
import { makeReadyPool, observe } from './fixtures/pool-fixture.ts';

describe('release', () => {
  test('returns at once, while the reset goes on behind it', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    driver.answer('reset', 'manual');
    const lease = await pool.acquire();
    expect(await lease.release()).toEqual({ released: true });
    await settle();
    expect(pool.stats().slots).toMatchObject({ resetting: 1, ready: 0 });
    driver.pending('reset')[0]?.resolve();
    await settle();
    expect(pool.stats().slots.ready).toBe(1);
    expect(pool.stats().counters.resets).toBe(1);
  });

  test('a second one changes nothing and says so, also when the machine is lent again', async () => {
    const { pool, settle } = await makeReadyPool({ max: 1 });
    const old = await pool.acquire();
    await old.release();
    await settle();
    const present = await pool.acquire();
    expect(present.machineId).toBe(old.machineId);
    expect(present.turn).toBe(2);
    expect(await old.release()).toEqual({ released: false, reason: 'released' });
    expect(await old.discard()).toEqual({ released: false, reason: 'released' });
    await expect(old.renew()).rejects.toMatchObject({ code: 'WARMVM_LEASE_RELEASED' });
    await expect(old.guest.ping()).rejects.toMatchObject({ code: 'WARMVM_LEASE_RELEASED' });
    await expect(old.state()).rejects.toMatchObject({ code: 'WARMVM_LEASE_RELEASED' });
    expect(present.status).toBe('active');
    expect(pool.stats().counters.released).toBe(1);
  });

  test('await using releases, also when the body throws', async () => {
    const { pool, settle } = await makeReadyPool({ max: 1 });
    const body = async (): Promise<void> => {
      await using lease = await pool.acquire();
      throw new Error(`body with ${lease.machineId}`);
    };
    await expect(body()).rejects.toThrow('body with machine-1');
    await settle();
    expect(pool.stats().slots).toMatchObject({ leased: 0, ready: 1 });
  });

  test('never fires the signal of the lease', async () => {
    const { pool } = await makeReadyPool();
    const lease = await pool.acquire();
    const { signal } = lease;
    await lease.release();
    expect(signal.aborted).toBe(false);
    expect(lease.signal.aborted).toBe(false);
    expect(lease.status).toBe('released');
  });

  test('discard destroys the machine instead of resetting it, and tells the reason', async () => {
    const { driver, pool, settle, events } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    expect(await lease.discard('smells')).toEqual({ released: true });
    await settle();
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(driver.calls('reset')).toHaveLength(0);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'lease-ended', status: 'discarded', reason: 'smells' }),
    );
  });
});

describe('reset', () => {
  const failing: readonly (readonly [string, 'reset' | 'probe', StubAnswer])[] = [
    ['fails', 'reset', { reject: new Error('revert failed') }],
    ['throws at once', 'reset', { throw: new Error('revert threw') }],
    ['takes too long', 'reset', 'manual'],
    ['is not borne out by the probe', 'probe', { reject: new Error('mute') }],
  ];

  test.each(failing)('that %s costs the machine, and the waiter keeps its place', async (_, kind, answer) => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1, resetTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const first = observe(pool.acquire());
    const second = observe(pool.acquire());
    const callsBefore = driver.calls(kind).length;
    driver.answer(kind, (index) => (index === callsBefore ? answer : 'resolve'));
    await lease.release();
    await clock.advance(1_000);
    expect(driver.forked[0]?.disposals).toBe(1);
    expect(first.value?.machineId).toBe('machine-2');
    expect(second.settled).toBe(false);
    expect(pool.stats().counters).toMatchObject({ resetsFailed: 1, resets: 0 });
    expect(driver.peakFootprints).toBe(1);
    await pool.close();
  });

  test('that does not begin a new generation is a failure', async () => {
    const { driver, pool, settle } = await makeReadyPool({ max: 1 });
    const lease = await pool.acquire();
    const [machine] = driver.forked;
    Object.defineProperty(machine, 'reset', { value: async () => {} });
    await lease.release();
    await settle();
    expect(machine?.disposals).toBe(1);
    expect(pool.stats().counters.resetsFailed).toBe(1);
  });

  test('goes only as many at a time as allowed', async () => {
    const { driver, pool, settle } = await makeReadyPool({ minReady: 3, max: 3, resetConcurrency: 1 });
    driver.answer('reset', 'manual');
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    for (const lease of leases) await lease.release();
    await settle();
    expect(driver.pending('reset')).toHaveLength(1);
    expect(pool.stats().slots.resetting).toBe(3);
    driver.pending('reset')[0]?.resolve();
    await settle();
    expect(driver.calls('reset')).toHaveLength(2);
  });

  test('is replaced by a new machine where it is never wanted or not possible', async () => {
    for (const options of [{ reset: 'never' as const }, { stub: { capabilities: { reset: 'none' as const } } }]) {
      const { driver, pool, settle } = await makeReadyPool({ max: 1, ...options });
      await (await pool.acquire()).release();
      await settle();
      expect(driver.calls('reset')).toHaveLength(0);
      expect(pool.stats().slots.ready).toBe(1);
      expect(driver.forked).toHaveLength(2);
    }
  });
});

describe('expiry', () => {
  test('revokes the lease once, fires its signal, and lends the machine again only after a reset', async () => {
    const { driver, pool, clock } = await makeReadyPool({ max: 1, leaseMs: 1_000 });
    const lease = await pool.acquire();
    const reasons: unknown[] = [];
    lease.signal.addEventListener('abort', () => reasons.push(lease.signal.reason));
    await clock.advance(999);
    expect(lease.status).toBe('active');
    await clock.advance(1);
    expect(lease.status).toBe('expired');
    expect(reasons).toEqual([expect.objectContaining({ code: 'WARMVM_LEASE_EXPIRED' })]);
    await expect(lease.guest.exec(['id'])).rejects.toBe(reasons[0]);
    expect(await lease.release()).toEqual({ released: false, reason: 'expired' });
    expect(driver.calls('reset')).toHaveLength(1);
    expect((await pool.acquire()).generation).toBe(2);
    expect(pool.stats().counters.expired).toBe(1);
  });

  test('is put off by renew, from the moment of the call', async () => {
    const { pool, clock } = await makeReadyPool({ leaseMs: 1_000 });
    const lease = await pool.acquire();
    await clock.advance(900);
    await lease.renew();
    expect(lease.expiresAtMs).toBe(clock.wallTimeMs() + 1_000);
    await lease.renew({ leaseMs: 500 });
    await clock.advance(499);
    expect(lease.status).toBe('active');
    await clock.advance(1);
    expect(lease.status).toBe('expired');
    await expect(lease.renew()).rejects.toMatchObject({ code: 'WARMVM_LEASE_EXPIRED' });
  });

  test('follows the leaseMs of acquire', async () => {
    const { pool, clock } = await makeReadyPool();
    const lease = await pool.acquire({ leaseMs: 10 });
    await expect(lease.renew({ leaseMs: -1 })).rejects.toThrow(RangeError);
    await clock.advance(10);
    expect(lease.status).toBe('expired');
  });

  test('shows on a signal that is looked at only afterwards', async () => {
    const { pool, clock } = await makeReadyPool({ leaseMs: 10 });
    const lease = await pool.acquire();
    await clock.advance(10);
    expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_LEASE_EXPIRED' });
  });
});

describe('the guest of a lease', () => {
  test('passes every call on to the machine', async () => {
    const { pool } = await makeReadyPool();
    const lease = await pool.acquire();
    const { guest } = lease;
    await guest.ping();
    expect(new TextDecoder().decode((await guest.exec(['echo', 'hi'])).stdout)).toBe('echo hi');
    expect(new TextDecoder().decode(await guest.readFile('/etc/hostname'))).toBe('/etc/hostname');
    await guest.writeFile('/tmp/x', 'y');
    expect(await guest.timeMs()).toBe(0);
    expect(await lease.state()).toBe('running');
    expect(lease.guest).toBe(guest);
  });

  test('rejects a call that is under way when the lease ends, even if the driver takes no notice', async () => {
    const { driver, pool } = await makeReadyPool({ stub: { honoursAbort: false } });
    driver.answer('probe', 'manual');
    const lease = await pool.acquire();
    const call = observe(lease.guest.exec(['sleep', '1000']));
    const execSignal = driver.pending('probe')[0]?.signal;
    await lease.release();
    await Promise.resolve();
    await new Promise(setImmediate);
    expect(call.error).toMatchObject({ code: 'WARMVM_LEASE_RELEASED' });
    expect(execSignal?.aborted).toBe(true);
  });

  test("rejects with the caller's own reason when that aborts first", async () => {
    const { driver, pool, settle } = await makeReadyPool();
    driver.answer('probe', 'manual');
    const lease = await pool.acquire();
    const controller = new AbortController();
    const call = observe(lease.guest.ping({ signal: controller.signal }));
    controller.abort(new Error('no more'));
    await settle();
    expect(call.error).toBe(controller.signal.reason);
    await expect(lease.guest.ping({ signal: controller.signal })).rejects.toBe(controller.signal.reason);
    expect(lease.status).toBe('active');
  });
});
