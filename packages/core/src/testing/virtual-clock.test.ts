import { describe, expect, test } from 'vitest';
import { sleep } from '../driver/index.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  test('fires timers in order of due time, then of setting', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimer(() => fired.push('late'), 20);
    clock.setTimer(() => fired.push('first'), 10);
    clock.setTimer(() => fired.push('second'), 10);
    await clock.advance(20);
    expect(fired).toEqual(['first', 'second', 'late']);
  });

  test('does not fire before time has come', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    let fired = 0;
    clock.setTimer(() => fired++, 10);
    await clock.advance(9.5);
    expect(fired).toBe(0);
    expect(clock.now()).toBe(9.5);
    expect(clock.nextTimerInMs).toBe(0.5);
    await clock.advance(0.5);
    expect(fired).toBe(1);
  });

  test('runs promise reactions between two timers', async () => {
    const clock = new VirtualClock();
    const trace: string[] = [];
    const chain = async (name: string): Promise<void> => {
      await sleep(clock, 10);
      for (let step = 0; step < 50; step += 1) await undefined;
      trace.push(name);
    };
    const both = [chain('a'), chain('b')];
    clock.setTimer(() => trace.push('timer'), 10);
    await clock.advance(10);
    await Promise.all(both);
    expect(trace).toEqual(['a', 'b', 'timer']);
  });

  test('fires a timer that was set by one that fired on the way', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const seen: number[] = [];
    clock.setTimer(() => {
      seen.push(clock.now());
      clock.setTimer(() => seen.push(clock.now()), 5);
    }, 5);
    await clock.advance(10);
    expect(seen).toEqual([5, 10]);
  });

  test('a cancelled timer never fires, and cancelling twice is harmless', async () => {
    const clock = new VirtualClock();
    let fired = 0;
    const timer = clock.setTimer(() => fired++, 1);
    timer.cancel();
    timer.cancel();
    await clock.advance(10);
    expect(fired).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('counts apart the timers that keep a process alive', () => {
    const clock = new VirtualClock();
    clock.setTimer(() => {}, 1);
    clock.setTimer(() => {}, 1, { hold: false });
    expect([clock.pendingTimers, clock.holdingTimers]).toEqual([2, 1]);
  });

  test('a jump of wall time leaves the monotonic scale and the timers alone', async () => {
    const clock = new VirtualClock({ startMs: 0, wallStartMs: 500 });
    let fired = 0;
    clock.setTimer(() => fired++, 10);
    clock.jumpWallTime(1_000_000);
    await clock.settle();
    expect([clock.now(), clock.wallTimeMs(), fired]).toEqual([0, 1_000_500, 0]);
  });

  test('runUntilIdle goes on until no timer is left and says when that never happens', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    clock.setTimer(() => clock.setTimer(() => {}, 50), 50);
    await clock.runUntilIdle();
    expect(clock.now()).toBe(100);
    const rearm = (): void => {
      clock.setTimer(rearm, 1);
    };
    rearm();
    await expect(clock.runUntilIdle({ maxTimers: 5 })).rejects.toThrow(/still not idle/);
  });

  test('refuses to run backwards', async () => {
    await expect(new VirtualClock().advance(-1)).rejects.toThrow(RangeError);
    await expect(new VirtualClock().advance(Number.NaN)).rejects.toThrow(RangeError);
  });
});
