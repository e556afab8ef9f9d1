import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { WarmvmError } from '../driver/index.ts';
import { makePool, makeReadyPool, observe } from './fixtures/pool-fixture.ts';

const steady = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });

describe('the breaker', () => {
  const options = {
    creationBackoff: steady,
    minReady: 1,
    max: 2,
    breaker: { failures: 3, openMs: 5_000 },
    script: (stub: { answer(kind: 'fork', answer: { reject: Error }): void }) =>
      stub.answer('fork', { reject: new Error('down') }),
  };

  test('opens after its failures in a row and lets exactly one sample through when it half-opens', async () => {
    const { driver, pool, clock, events } = makePool(options);
    observe(pool.acquire());
    observe(pool.acquire());
    await clock.advance(1_000);
    expect(pool.stats().breaker).toBe('open');
    const before = driver.calls('fork').length;
    driver.answer('fork', 'manual');
    await clock.advance(5_000);
    expect(pool.stats().breaker).toBe('half-open');
    expect(driver.calls('fork').length).toBe(before + 1);
    driver.pending('fork')[0]?.resolve();
    await clock.settle();
    expect(pool.stats().breaker).toBe('closed');
    expect(events.filter((event) => event.type === 'breaker-changed').map((event) => event.to)).toEqual([
      'open',
      'half-open',
      'closed',
    ]);
    await pool.close();
  });

  test('opens again when the sample fails', async () => {
    const { driver, pool, clock } = makePool(options);
    await clock.advance(400);
    expect(pool.stats().breaker).toBe('open');
    const before = driver.calls('fork').length;
    await clock.advance(9_000);
    expect(driver.calls('fork').length).toBe(before + 1);
    expect(pool.stats().breaker).toBe('open');
  });

  test('rejects ready() with the cause', async () => {
    const { pool, clock } = makePool(options);
    const early = observe(pool.ready());
    await clock.advance(1_000);
    expect(early.error).toMatchObject({ code: 'WARMVM_FORK_FAILED' });
    await expect(pool.ready()).rejects.toBe(early.error);
  });

  test('does not reject ready() for a golden snapshot that went missing and is made anew', async () => {
    const missing = new WarmvmError('WARMVM_GOLDEN_MISSING', 'gone');
    const { driver, pool, clock } = makePool({
      ...options,
      script: (stub) => stub.answer('fork', (index) => (index === 0 ? { reject: missing } : 'resolve')),
    });
    const ready = observe(pool.ready());
    await clock.advance(1_000);
    expect(ready).toEqual({ settled: true, value: undefined });
    expect(driver.calls('prepare')).toHaveLength(2);
    await pool.close();
  });

  test('by option refuses callers at once while nothing is there', async () => {
    const { pool, clock } = makePool({ ...options, breaker: { ...options.breaker, refuse: true } });
    await clock.advance(1_000);
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'WARMVM_POOL_EXHAUSTED',
      cause: { code: 'WARMVM_FORK_FAILED' },
    });
  });
});

describe('ready', () => {
  test('rejects at once when the image will never do', async () => {
    const error = new WarmvmError('WARMVM_GOLDEN_INVALID', 'no kernel');
    const { pool, clock, settle } = makePool({ script: (driver) => driver.answer('prepare', { reject: error }) });
    const ready = observe(pool.ready());
    await settle();
    expect(ready.error).toBe(error);
    expect(clock.holdingTimers).toBe(0);
  });

  test('goes on waiting when trying again may help', async () => {
    const error = new WarmvmError('WARMVM_GOLDEN_INVALID', 'slow boot', { retryable: true });
    const { pool, clock } = makePool({
      creationBackoff: steady,
      script: (driver) => driver.answer('prepare', (index) => (index === 0 ? { reject: error } : 'resolve')),
    });
    const ready = observe(pool.ready());
    await clock.advance(99);
    expect(ready.settled).toBe(false);
    await clock.advance(1);
    expect(ready).toMatchObject({ settled: true, value: undefined });
  });

  test('rejects with the reason of its signal and holds the process no longer', async () => {
    const { pool, clock } = makePool({ script: (driver) => driver.answer('prepare', 'manual') });
    const controller = new AbortController();
    const ready = observe(pool.ready({ signal: controller.signal }));
    await clock.settle();
    expect(clock.holdingTimers).toBe(1);
    controller.abort(new Error('enough'));
    await clock.settle();
    expect(ready.error).toBe(controller.signal.reason);
    expect(clock.holdingTimers).toBe(0);
    await expect(pool.ready({ signal: controller.signal })).rejects.toBe(controller.signal.reason);
  });

  test('an idle pool holds no timer that keeps the process alive, a waiting acquire does', async () => {
    const { pool, clock } = await makeReadyPool({ max: 1, maxAgeMs: 1_000 });
    expect(clock.holdingTimers).toBe(0);
    const lease = await pool.acquire();
    expect(clock.holdingTimers).toBe(0);
    observe(pool.acquire());
    expect(clock.holdingTimers).toBe(1);
    await lease.release();
    await clock.settle();
    expect(clock.holdingTimers).toBe(0);
  });
});
