import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { WarmvmError } from '../driver/index.ts';
import { seededRandom } from '../laws/fixtures/law-runs.ts';
import { makeHostsPool } from './fixtures/hosts-fixture.ts';
import { observe } from './fixtures/pool-fixture.ts';

const steady = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });
const failure = new Error('no space left');

describe('placement', () => {
  test.each([
    [1, [1, 0, 0]],
    [4, [2, 1, 1]],
    [7, [3, 2, 2]],
  ])('of %i goes where most fits, within the bound of each host', async (minReady, expected) => {
    const { pool, totals } = makeHostsPool({ hosts: [{ max: 3 }, { max: 2 }, { max: 2 }], minReady, max: 9 });
    await pool.ready();
    expect(totals()).toEqual(expected);
  });

  test('begins on any of equal hosts', async () => {
    const first = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { pool, totals } = makeHostsPool({ minReady: 1, max: 1, random: seededRandom(seed) });
      await pool.ready();
      first.add(totals().indexOf(1));
    }
    expect(first).toEqual(new Set([0, 1]));
  });

  test('holds each host to the forks that its driver is good for', async () => {
    const { clock, a, b } = makeHostsPool({
      hosts: [{ forkConcurrency: 1 }, {}],
      minReady: 6,
      max: 8,
      forkConcurrency: 3,
      script: (...drivers) => {
        for (const driver of drivers) driver.answer('fork', 'manual');
      },
    });
    await clock.settle();
    expect([a.pending('fork').length, b.pending('fork').length]).toEqual([1, 3]);
  });

  test('holds each host to its resets, and lets none wait for another', async () => {
    const { pool, clock, a, b } = makeHostsPool({ hosts: [{ resetConcurrency: 1 }, {}], minReady: 6, max: 6 });
    await pool.ready();
    for (const driver of [a, b]) driver.answer('reset', 'manual');
    const leases = await Promise.all(Array.from({ length: 6 }, () => pool.acquire()));
    for (const lease of leases) await lease.release();
    await clock.settle();
    expect([a.pending('reset').length, b.pending('reset').length]).toEqual([1, 2]);
  });

  test('tries out whether a host works again only on spares, while another has room', async () => {
    const { pool, clock, a, b } = makeHostsPool({
      minReady: 0,
      max: 8,
      creationBackoff: steady,
      script: (first) => first?.answer('fork', (index) => (index === 0 ? { reject: failure } : 'resolve')),
    });
    await pool.ready();
    const leases = [await pool.acquire()];
    for (let count = 0; count < 6; count += 1) {
      await clock.advance(1_000);
      leases.push(await pool.acquire());
    }
    expect(leases.map((lease) => lease.host)).toEqual(Array(7).fill('b'));
    expect([a.calls('fork').length, b.calls('fork').length]).toEqual([1, 7]);
    pool.resize({ minReady: 1 });
    await clock.advance(1);
    expect(a.calls('fork')).toHaveLength(2);
  });
});

describe('a host that fails', () => {
  test('costs attempts by its own backoff, and the others nothing', async () => {
    const { pool, clock, a, totals, events } = makeHostsPool({
      minReady: 4,
      max: 4,
      creationBackoff: steady,
      breaker: { failures: 3, openMs: 10_000 },
      script: (first) => first?.answer('fork', { reject: failure }),
    });
    await pool.ready();
    expect(totals()).toEqual([0, 4]);
    pool.resize({ max: 8, minReady: 4 });
    await clock.advance(60_000);
    // Two were under way at once when the first failed; the others had room for what was left.
    expect(a.calls('fork')).toHaveLength(2);
    expect(pool.stats().breaker).toBe('closed');
    expect(events.filter(({ type }) => type === 'breaker-changed')).toEqual([]);
  });

  test('at preparing is waited for by nobody where the spares can be had elsewhere', async () => {
    const invalid = new WarmvmError('WARMVM_GOLDEN_INVALID', 'no kernel there');
    const { pool, clock, a } = makeHostsPool({
      minReady: 2,
      max: 4,
      creationBackoff: steady,
      script: (first) => first?.answer('prepare', { reject: invalid }),
    });
    const ready = observe(pool.ready());
    await clock.settle();
    expect(ready).toEqual({ settled: true, value: undefined });
    expect(pool.stats().hosts.map(({ isPrepared, lastCreationError }) => [isPrepared, lastCreationError])).toEqual([
      [false, invalid],
      [true, undefined],
    ]);
    a.answer('prepare', 'resolve');
    await clock.advance(1_000);
    expect(pool.stats().hosts[0]?.isPrepared).toBe(true);
  });

  test('that hangs at preparing holds up no other', async () => {
    const { pool, clock } = makeHostsPool({ script: (first) => first?.answer('prepare', 'manual') });
    const ready = observe(pool.ready());
    await clock.settle();
    expect(ready.settled).toBe(true);
  });

  test('is why ready() rejects where the others are too small for the spares', async () => {
    const invalid = new WarmvmError('WARMVM_GOLDEN_INVALID', 'no kernel there');
    const { pool, clock } = makeHostsPool({
      hosts: [{}, { max: 1 }],
      minReady: 2,
      script: (first) => first?.answer('prepare', { reject: invalid }),
    });
    const ready = observe(pool.ready());
    await clock.settle();
    expect(ready.error).toBe(invalid);
  });

  test('together with all others is told by name, to ready() and to who waits', async () => {
    const { pool, clock } = makeHostsPool({
      creationBackoff: steady,
      breaker: { failures: 2 },
      script: (first, second) => {
        first?.answer('fork', { reject: new Error('disk full') });
        second?.answer('fork', { reject: new Error('no memory') });
      },
    });
    const ready = observe(pool.ready());
    const ask = observe(pool.acquire({ timeoutMs: 500 }));
    await clock.advance(1_000);
    expect(ready.error).toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      message: 'host a: fork stub: disk full; host b: fork stub: no memory',
      details: { hosts: [{ name: 'a' }, { name: 'b' }] },
    });
    expect(ask.error).toMatchObject({
      code: 'WARMVM_ACQUIRE_TIMEOUT',
      message: expect.stringMatching(/host a is up: fork stub: disk full; host b is up: fork stub: no memory/),
      details: {
        hosts: [
          { name: 'a', state: 'up', lastError: { code: 'WARMVM_FORK_FAILED', message: 'fork stub: disk full' } },
          { name: 'b', state: 'up', lastError: { code: 'WARMVM_FORK_FAILED', message: 'fork stub: no memory' } },
        ],
      },
    });
  });
});

describe('close', () => {
  test('over hosts of which one hangs ends when the grace and the time of a destroy are over, and names what is where', async () => {
    const { pool, clock, a, b } = makeHostsPool({ minReady: 2, max: 4, destroyTimeoutMs: 3_000 });
    await pool.ready();
    const leases = await Promise.all([1, 2].map(() => pool.acquire()));
    await clock.settle();
    for (const kind of ['dispose', 'ping', 'reset'] as const) a.answer(kind, 'manual');
    const closing = observe(pool.close({ graceMs: 2_000 }));
    await clock.advance(4_999);
    expect(closing.settled).toBe(false);
    await clock.advance(1);
    expect(closing.value).toMatchObject({ durationMs: 5_000 });
    expect(closing.value?.revoked.map(({ host }) => host).sort()).toEqual(leases.map(({ host }) => host).sort());
    expect(closing.value?.undestroyed.map(({ host }) => host)).toEqual(['a', 'a']);
    expect(b.footprints).toBe(0);
  });
});
