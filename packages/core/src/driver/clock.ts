/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Stops the timer; harmless when it has fired or was stopped before. */
  cancel(): void;
}

/** How a timer is set. */
export interface TimerOptions {
  /** Whether the timer keeps the process alive: a waiter does, housekeeping does not. @default true */
  readonly hold?: boolean;
}

/** The only source of time in warmvm. Injected everywhere, so that tests run on a virtual one. */
export interface Clock {
  /** Milliseconds on a monotonic scale with an arbitrary start; a change of the wall clock never shows here. */
  now(): number;
  /** Milliseconds since the Unix epoch; only for what is shown to people or set inside guests. */
  wallTimeMs(): number;
  /** Calls back once after `delayMs` milliseconds. */
  setTimer(callback: () => void, delayMs: number, options?: TimerOptions): Timer;
}

// Taken at load: a test runner that fakes the timers of the program under test must not stop the time of machines.
const { setTimeout: setRealTimeout, clearTimeout: clearRealTimeout } = globalThis;
const realNow = performance.now.bind(performance);
const realWallTime = Date.now;

/** The real clock: `performance.now()`, `Date.now()` and `setTimeout` as they were when this module was loaded. */
export const systemClock: Clock = {
  now: () => realNow(),
  wallTimeMs: () => realWallTime(),
  setTimer(callback, delayMs, options = {}) {
    const handle = setRealTimeout(callback, delayMs);
    if (options.hold === false) handle.unref();
    return { cancel: () => clearRealTimeout(handle) };
  },
};

/**
 * Resolves after `delayMs` on the given clock.
 * @throws the signal's reason when it is aborted before or meanwhile; no listener and no timer stays behind.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
