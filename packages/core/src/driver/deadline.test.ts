import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/index.ts';
import type { Clock } from './clock.ts';
import { setDeadline } from './deadline.ts';

/** A clock whose time jumps ahead while no timer can fire, as after SIGSTOP. */
function stallable(): { readonly clock: Clock; readonly virtual: VirtualClock; stall(durationMs: number): void } {
  const virtual = new VirtualClock();
  let stalledMs = 0;
  const clock: Clock = {
    now: () => virtual.now() + stalledMs,
    wallTimeMs: () => virtual.wallTimeMs() + stalledMs,
    setTimer: (callback, delayMs, options) => virtual.setTimer(callback, delayMs, options),
  };
  return {
    clock,
    virtual,
    stall(durationMs) {
      stalledMs += durationMs;
    },
  };
}

describe('a deadline', () => {
  test('passes when its time is over', async () => {
    const { clock, virtual } = stallable();
    let passed = 0;
    setDeadline(
      clock,
      () => {
        passed += 1;
      },
      5000,
    );
    await virtual.advance(4999);
    expect(passed).toBe(0);
    await virtual.advance(1);
    await virtual.settle();
    expect([passed, virtual.pendingTimers]).toEqual([1, 0]);
  });

  test('gives the time of a stall again, and no more than its own length', async () => {
    const { clock, virtual, stall } = stallable();
    let passed = false;
    setDeadline(
      clock,
      () => {
        passed = true;
      },
      5000,
    );
    stall(20_000);
    await virtual.advance(5000);
    await virtual.settle();
    expect(passed).toBe(false);
    await virtual.advance(5000);
    await virtual.settle();
    expect(passed).toBe(true);
  });

  test('counts the delays of a busy loop', async () => {
    const { clock, virtual, stall } = stallable();
    let passed = false;
    setDeadline(
      clock,
      () => {
        passed = true;
      },
      5000,
    );
    stall(499);
    await virtual.advance(5000);
    await virtual.settle();
    expect(passed).toBe(true);
  });

  test.each([0, 20_000])('that is cancelled never passes, also after a stall of %i ms', async (stallMs) => {
    const { clock, virtual, stall } = stallable();
    let passed = false;
    const deadline = setDeadline(
      clock,
      () => {
        passed = true;
      },
      5000,
    );
    stall(stallMs);
    const advancing = virtual.advance(5000);
    deadline.cancel();
    await advancing;
    await virtual.advance(60_000);
    await virtual.settle();
    expect([passed, virtual.pendingTimers]).toEqual([false, 0]);
  });

  test('reads what has arrived before it judges', async () => {
    const virtual = new VirtualClock();
    const order: string[] = [];
    const clock: Clock = {
      now: () => virtual.now(),
      wallTimeMs: () => virtual.wallTimeMs(),
      setTimer: (callback, delayMs) =>
        virtual.setTimer(() => {
          // Node reads sockets between due timers and immediates.
          setImmediate(() => {
            order.push('answer');
            deadline.cancel();
          });
          callback();
        }, delayMs),
    };
    const deadline = setDeadline(clock, () => order.push('silent'), 5000);
    await virtual.advance(5000);
    await virtual.settle();
    expect(order).toEqual(['answer']);
  });
});
