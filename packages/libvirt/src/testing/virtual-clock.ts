import type { Clock } from '../clock.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that only moves when a test says so. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Entry>();

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimer(callback: () => void, delayMs: number): { cancel(): void } {
    const entry = { at: this.#now + delayMs, callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  /** Moves time on and calls back what is due, in order. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}
