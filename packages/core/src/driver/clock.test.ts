import { getEventListeners } from 'node:events';
import { mock } from 'node:test';
import { describe, expect, test, vi } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { sleep, systemClock } from './clock.ts';

describe('sleep', () => {
  test('resolves when its time is over and not before', async () => {
    const clock = new VirtualClock();
    let awake = false;
    const slept = sleep(clock, 100).then(() => {
      awake = true;
    });
    await clock.advance(99);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
    await slept;
  });

  test('rejects with the reason of a signal that was aborted before, without a timer', async () => {
    const clock = new VirtualClock();
    const reason = new Error('no longer wanted');
    await expect(sleep(clock, 100, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  test('rejects with the reason of a signal that aborts meanwhile, and leaves neither timer nor listener', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const slept = sleep(clock, 100, controller.signal);
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('leaves no listener on the signal when it ends by itself', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const slept = sleep(clock, 100, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await clock.advance(100);
    await slept;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('systemClock', () => {
  test('calls back after the time was set, and never after a cancel', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const cancelled = systemClock.setTimer(() => resolve('cancelled'), 0);
    cancelled.cancel();
    systemClock.setTimer(() => resolve('kept'), 0);
    expect(await promise).toBe('kept');
    cancelled.cancel();
  });

  test('never runs backwards, and tells the time of day apart', () => {
    const before = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(systemClock.wallTimeMs() - Date.now())).toBeLessThan(60_000);
  });

  test('keeps the process alive only for timers that hold it', () => {
    const timers = [systemClock.setTimer(() => {}, 60_000), systemClock.setTimer(() => {}, 60_000, { hold: false })];
    const holding = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    timers[0]!.cancel();
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBe(holding - 1);
    timers[1]!.cancel();
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBe(holding - 1);
  });
});

describe('the system clock', () => {
  test.each([
    ['vitest', () => void vi.useFakeTimers(), () => void vi.useRealTimers()],
    ['node:test', () => mock.timers.enable({ apis: ['setTimeout', 'Date'] }), () => mock.timers.reset()],
  ])('goes on under the faked timers of %s', async (_, fake, restore) => {
    const wallTimeMs = systemClock.wallTimeMs();
    fake();
    try {
      const startedMs = systemClock.now();
      await sleep(systemClock, 5);
      expect(systemClock.now()).toBeGreaterThan(startedMs);
      expect(Math.abs(systemClock.wallTimeMs() - wallTimeMs)).toBeLessThan(600_000);
    } finally {
      restore();
    }
  });
});
