/** The only source of time in this package; inject one of your own to test without waiting. */
export interface Clock {
  /** Milliseconds on a monotonic scale with an arbitrary start. */
  now(): number;
  /**
   * Calls back once after `delayMs` milliseconds, unless cancelled.
   * `hold: false` means that the timer does not keep the process alive.
   */
  setTimer(
    callback: () => void,
    delayMs: number,
    options?: { readonly hold?: boolean },
  ): {
    cancel(): void;
  };
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs, options = {}) {
    const handle = setTimeout(callback, delayMs);
    if (options.hold === false) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
