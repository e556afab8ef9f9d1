import type { Clock, Timer, TimerOptions } from './clock.ts';

/** A timer that fires this late did not wait for a busy loop: the whole process stood still. */
const STALL_MS = 500;

// Taken at load, so that a test runner's fake timers cannot replace it.
const afterInput = setImmediate;

/**
 * Sets the time limit of an answer from outside this process. Use it wherever a timer decides that a peer is silent:
 *
 * - What has already arrived is read first. Node fires due timers before it reads, so a plain timer condemns a peer whose answer
 *   waits in the socket.
 * - Time in which this process stood still (SIGSTOP, a suspended computer, a blocked event loop) does not count. After a stall of
 *   500 ms or more the peer gets that time again, at most `delayMs`.
 *
 * Otherwise like {@link Clock.setTimer}. `cancel` holds until `callback` runs.
 */
export function setDeadline(clock: Clock, callback: () => void, delayMs: number, options?: TimerOptions): Timer {
  let cancelled = false;
  let timer: Timer;
  const arm = (waitMs: number): void => {
    const dueMs = clock.now() + waitMs;
    timer = clock.setTimer(
      () => {
        const lateMs = clock.now() - dueMs;
        if (lateMs >= STALL_MS) arm(Math.min(lateMs, delayMs));
        else afterInput(judge);
      },
      waitMs,
      options,
    );
  };
  const judge = (): void => {
    if (!cancelled) callback();
  };
  arm(Math.max(delayMs, 0));
  return {
    cancel: () => {
      cancelled = true;
      timer.cancel();
    },
  };
}
