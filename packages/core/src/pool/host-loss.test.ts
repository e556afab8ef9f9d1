import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { WarmvmError } from '../driver/index.ts';
import type { StubCallKind } from '../testing/index.ts';
import { makeHostsPool } from './fixtures/hosts-fixture.ts';
import { observe } from './fixtures/pool-fixture.ts';

const steady = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });

describe('a host that is lost', () => {
  test('loses its leases alone, and its share is made elsewhere', async () => {
    const { pool, clock, a, events, totals } = makeHostsPool({ minReady: 2, max: 4, creationBackoff: steady });
    await pool.ready();
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    a.loseHost();
    await clock.settle();
    expect(leases.map(({ host, status }) => `${host} ${status}`).sort()).toEqual([
      'a lost',
      'a lost',
      'b active',
      'b active',
    ]);
    expect(pool.stats().hosts.map(({ state }) => state)).toEqual(['down', 'up']);
    expect(totals()).toEqual([0, 4]);
    expect(events.filter(({ type }) => type === 'host-down')).toEqual([
      expect.objectContaining({ host: 'a', error: expect.objectContaining({ code: 'WARMVM_HOST_LOST' }) }),
    ]);
  });

  test('is asked for a bounded number of times, and is used again when it answers', async () => {
    const { pool, clock, a, events, totals } = makeHostsPool({
      minReady: 2,
      max: 2,
      creationBackoff: steady,
      breaker: { failures: 3, openMs: 5_000 },
    });
    await pool.ready();
    a.loseHost();
    await clock.advance(60_000);
    expect(a.calls('ping').length).toBeLessThanOrEqual(4 + 60_000 / 5_000);
    expect(a.calls('fork')).toHaveLength(1);
    for (const kind of ['prepare', 'fork', 'list', 'ping', 'state', 'reset', 'probe'] as const)
      a.answer(kind, 'resolve');
    await clock.advance(5_000);
    expect(events).toContainEqual(expect.objectContaining({ type: 'host-up', host: 'a' }));
    expect(totals()).toEqual([0, 2]);
    pool.resize({ minReady: 4, max: 4 });
    await clock.advance(5_000);
    // One at a time where it failed, and what is left where there is room at once.
    expect(totals()).toEqual([1, 3]);
  });

  test('by silence is found out within everyMs + misses * timeoutMs, and what hangs there takes nobody’s room', async () => {
    const { pool, clock, a, totals } = makeHostsPool({
      minReady: 2,
      max: 4,
      heartbeat: { everyMs: 1_000, timeoutMs: 300, misses: 2 },
      destroyTimeoutMs: 5_000,
    });
    await pool.ready();
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    await clock.advance(999);
    for (const kind of ['prepare', 'fork', 'list', 'ping', 'reset', 'probe', 'dispose', 'state'] as const) {
      a.answer(kind, 'manual');
    }
    await clock.advance(600);
    expect(pool.stats().hosts[0]?.state).toBe('up');
    await clock.advance(1);
    expect(pool.stats().hosts[0]?.state).toBe('down');
    const lost = leases.filter(({ status }) => status === 'lost');
    expect(lost.map(({ host }) => host)).toEqual(['a', 'a']);
    expect(lost[0]?.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST', details: { misses: 2, timeoutMs: 300 } });
    await clock.settle();
    expect(totals()).toEqual([2, 4]);
    await clock.advance(5_000);
    expect(pool.stats().hosts[0]?.slots.quarantined).toBe(2);
    expect(leases.filter(({ status }) => status === 'active')).toHaveLength(2);
  });

  test('is not one that only answers slowly while forks go well', async () => {
    const { pool, clock, a } = makeHostsPool({
      minReady: 0,
      max: 8,
      heartbeat: { everyMs: 1_000, timeoutMs: 300, misses: 2 },
    });
    await pool.ready();
    a.answer('ping', 'manual');
    for (let step = 0; step < 40; step += 1) {
      const lease = await pool.acquire({ leaseMs: 10_000 });
      await lease.discard();
      await clock.advance(100);
    }
    expect(pool.stats().hosts[0]?.state).toBe('up');
  });

  test('and could not be reached from the start is swept when it is there', async () => {
    const away: readonly StubCallKind[] = ['prepare', 'list', 'ping'];
    const { pool, clock, a, events } = makeHostsPool({
      sweep: true,
      creationBackoff: steady,
      script: (first) => {
        const unreachable = new WarmvmError('WARMVM_HOST_UNREACHABLE', 'connection refused', { retryable: true });
        for (const kind of away) first?.answer(kind, { reject: unreachable });
      },
    });
    await pool.ready();
    expect(pool.stats().hosts[0]?.state).toBe('down');
    expect(a.calls('prepare')).toHaveLength(0);
    for (const kind of away) a.answer(kind, 'resolve');
    await clock.advance(2_000);
    expect(pool.stats().hosts[0]).toMatchObject({ state: 'up', isPrepared: true });
    const told = events.filter((event) => 'host' in event && event.host === 'a').map(({ type }) => type);
    expect(told.filter((type) => type.startsWith('host') || type.startsWith('sw'))).toEqual([
      'sweep-failed',
      'host-down',
      'host-up',
      'swept',
      'swept',
    ]);
  });
});

describe('a host that drains', () => {
  test('is emptied as its leases return, while its share is made elsewhere', async () => {
    const { pool, clock, totals, events } = makeHostsPool({ minReady: 2, max: 6 });
    await pool.ready();
    const leases = [await pool.acquire(), await pool.acquire()];
    await clock.settle();
    const onA = leases.find(({ host }) => host === 'a')!;
    const drained = observe(pool.drain('a'));
    await clock.settle();
    expect(totals()[0]).toBe(1);
    expect(pool.stats().slots.ready).toBe(2);
    expect(pool.stats().hosts[0]).toMatchObject({ state: 'draining', isDraining: true });
    expect([onA.status, drained.settled]).toEqual(['active', false]);
    await onA.release();
    await clock.settle();
    expect([totals()[0], drained.value]).toEqual([0, true]);
    const told = events.filter(({ type }) => type.startsWith('host-'));
    expect(told.map(({ type }) => type)).toEqual(['host-draining', 'host-drained']);
    expect(await pool.drain('a')).toBe(true);
    pool.undrain('a');
    pool.resize({ minReady: 4 });
    await clock.settle();
    expect(totals()[0]).toBeGreaterThan(0);
    await pool.close();
  });

  test('and is undrained before it is empty says so', async () => {
    const { pool, clock } = makeHostsPool({ minReady: 2, max: 2 });
    await pool.ready();
    await Promise.all([pool.acquire(), pool.acquire()]);
    const drained = observe(pool.drain('b'));
    await clock.settle();
    pool.undrain('b');
    await clock.settle();
    expect(drained.value).toBe(false);
    expect(pool.stats().hosts[1]?.state).toBe('up');
  });

  test('takes no machine that was under way', async () => {
    const { pool, clock, a, totals } = makeHostsPool({
      hosts: [{}],
      script: (first) => first?.answer('fork', 'manual'),
    });
    await clock.settle();
    const drained = observe(pool.drain('a'));
    a.pending('fork')[0]?.resolve();
    await clock.settle();
    expect([totals()[0], drained.value]).toEqual([0, true]);
    expect(a.forked[0]?.disposals).toBe(1);
    expect(pool.stats().breaker).toBe('closed');
  });

  test('is waited for under a signal, is let go by close, and must be one that is there', async () => {
    const { pool, clock } = makeHostsPool({ minReady: 2, max: 2 });
    await pool.ready();
    await Promise.all([pool.acquire(), pool.acquire()]);
    const controller = new AbortController();
    const aborted = observe(pool.drain('a', { signal: controller.signal }));
    const closed = observe(pool.drain('a'));
    controller.abort(new Error('enough'));
    await clock.settle();
    expect(aborted.error).toBe(controller.signal.reason);
    expect(pool.stats().hosts[0]?.state).toBe('draining');
    await expect(pool.drain('c')).rejects.toThrow('host is "c"; expected one of a, b');
    expect(() => pool.undrain('c')).toThrow(RangeError);
    await pool.close();
    expect(closed.error).toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    await expect(pool.drain('a')).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
  });
});
