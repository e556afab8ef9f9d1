import { type DeadlineEntry, type Deadlines, isPending } from './deadlines.ts';
import type { DueLane } from './due-lane.ts';

/** One deadline that can be set, moved and cancelled. */
export class Alarm implements DeadlineEntry {
  dueMs = 0;
  heapIndex = -1;
  lane: DueLane | undefined = undefined;
  sooner: DeadlineEntry | undefined = undefined;
  later: DeadlineEntry | undefined = undefined;
  readonly #deadlines: Deadlines;
  readonly #callback: () => void;

  constructor(deadlines: Deadlines, callback: () => void) {
    this.#deadlines = deadlines;
    this.#callback = callback;
  }

  get isSet(): boolean {
    return isPending(this);
  }

  onDue(): void {
    this.#callback();
  }

  /** Sets it, or moves it. */
  set(dueMs: number): void {
    this.#deadlines.remove(this);
    this.#deadlines.add(this, dueMs);
  }

  /** Sets it, unless it is set to go off before that anyway. */
  setNoLaterThan(dueMs: number): void {
    if (!this.isSet || this.dueMs > dueMs) this.set(dueMs);
  }

  cancel(): void {
    this.#deadlines.remove(this);
  }
}
