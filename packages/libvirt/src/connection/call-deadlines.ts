import type { Clock } from '../clock.ts';

/** Something that is given up when its time is over. */
export interface Dated {
  /** When, on the clock's monotonic scale; `Infinity` for never. */
  readonly dueAt: number;
  /** Called once it is due, after it was taken off. */
  readonly onDue: () => void;
}

/**
 * Deadlines of calls under one timer. A timer of its own for each call costs more than encoding the call does, so a timer that was
 * armed is left to fire early. None keeps the process alive: the stream that the reply comes from does.
 */
export class CallDeadlines {
  readonly #clock: Clock;
  readonly #dated = new Set<Dated>();
  #timer: { cancel(): void } | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When something that may take that long is due. */
  dueIn(delayMs: number): number {
    return delayMs === Number.POSITIVE_INFINITY ? delayMs : this.#clock.now() + delayMs;
  }

  add(dated: Dated): void {
    if (dated.dueAt === Number.POSITIVE_INFINITY) return;
    this.#dated.add(dated);
    if (dated.dueAt < this.#firesAt) this.#arm(dated.dueAt);
  }

  delete(dated: Dated): void {
    this.#dated.delete(dated);
  }

  /** Forgets everything, and leaves no timer. */
  stop(): void {
    this.#dated.clear();
    this.#disarm();
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#firesAt = at;
    // A timer may be a little early on another clock's scale, and needs a positive delay.
    const delayMs = Math.max(at - this.#clock.now(), 1);
    this.#timer = this.#clock.setTimer(() => this.#onTimer(), delayMs, { hold: false });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #onTimer(): void {
    this.#disarm();
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const dated of this.#dated) {
      if (dated.dueAt > now) next = Math.min(next, dated.dueAt);
      else {
        this.#dated.delete(dated);
        dated.onDue();
      }
    }
    if (next < this.#firesAt) this.#arm(next);
  }
}
