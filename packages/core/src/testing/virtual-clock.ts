import type { Clock, Timer, TimerOptions } from '../driver/clock.ts';

interface PendingTimer {
  readonly dueMs: number;
  readonly hold: boolean;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Where a {@link VirtualClock} starts. */
export interface VirtualClockOptions {
  /** First value of `now()`. @default 1000 */
  readonly startMs?: number;
  /** First value of `wallTimeMs()`. @default 1700000000000 */
  readonly wallStartMs?: number;
}

// Taken at load, so that a test runner's fake timers cannot replace it.
const nextTurn = setImmediate;

/**
 * A clock that stands still until a test moves it. Timers fire in order of their due time, and in order of setting where
 * that is equal; between two timers every pending promise reaction runs. The same calls give the same trace, always.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #wallOffsetMs: number;
  #timers: PendingTimer[] = [];

  constructor(options: VirtualClockOptions = {}) {
    this.#nowMs = options.startMs ?? 1_000;
    this.#wallOffsetMs = (options.wallStartMs ?? 1_700_000_000_000) - this.#nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallTimeMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  setTimer(callback: () => void, delayMs: number, options: TimerOptions = {}): Timer {
    const timer: PendingTimer = {
      dueMs: this.#nowMs + Math.max(delayMs, 0),
      hold: options.hold ?? true,
      callback,
      cancelled: false,
    };
    this.#insert(timer);
    return {
      cancel: () => {
        if (timer.cancelled) return;
        timer.cancelled = true;
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  /** Timers that are set and have not fired. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Those of {@link pendingTimers} that would keep a process alive. */
  get holdingTimers(): number {
    return this.#timers.reduce((count, timer) => (timer.hold ? count + 1 : count), 0);
  }

  /** Milliseconds until the next timer fires, or `undefined` when none is set. */
  get nextTimerInMs(): number | undefined {
    const next = this.#timers[0];
    return next === undefined ? undefined : next.dueMs - this.#nowMs;
  }

  /** Runs every promise reaction that is pending, and those they lead to; time stands still. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      nextTurn(resolve);
    });
  }

  /**
   * Moves time on by `deltaMs`, firing every timer that comes due on the way (also those set meanwhile).
   * @throws RangeError when `deltaMs` is negative or not finite, and whatever a timer's callback throws
   */
  async advance(deltaMs: number): Promise<void> {
    if (!Number.isFinite(deltaMs) || deltaMs < 0) {
      throw new RangeError(
        `deltaMs is ${deltaMs}; expected a finite number of at least 0: time does not run backwards`,
      );
    }
    const endMs = this.#nowMs + deltaMs;
    await this.settle();
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= endMs; next = this.#timers[0]) {
      await this.#fire(next);
    }
    if (this.#nowMs < endMs) this.#nowMs = endMs;
  }

  /**
   * Moves time on from timer to timer until none is set.
   * @throws RangeError when `maxTimers` fired and there is still one: something re-arms itself for ever
   */
  async runUntilIdle(options: { readonly maxTimers?: number } = {}): Promise<void> {
    const maxTimers = options.maxTimers ?? 10_000;
    await this.settle();
    for (let fired = 0; this.#timers[0] !== undefined; fired += 1) {
      if (fired >= maxTimers) throw new RangeError(`${maxTimers} timers fired and the clock is still not idle`);
      await this.#fire(this.#timers[0]);
    }
  }

  /** Changes wall time alone, as an administrator or a time daemon would; `now()` and timers do not notice. */
  jumpWallTime(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
  }

  async #fire(timer: PendingTimer): Promise<void> {
    this.#timers.shift();
    timer.cancelled = true;
    if (timer.dueMs > this.#nowMs) this.#nowMs = timer.dueMs;
    timer.callback();
    await this.settle();
  }

  #insert(timer: PendingTimer): void {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timers[middle]!.dueMs <= timer.dueMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
  }
}
