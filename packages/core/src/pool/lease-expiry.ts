import type { DeadlineEntry } from '../deadline/deadlines.ts';
import type { DueLane } from '../deadline/due-lane.ts';
import type { Slot } from './slot.ts';

/** Ends the present lease of a slot when its time is over. One for all turns of the slot, so that none is made for each. */
export class LeaseExpiry implements DeadlineEntry {
  dueMs = 0;
  heapIndex = -1;
  lane: DueLane | undefined = undefined;
  sooner: DeadlineEntry | undefined = undefined;
  later: DeadlineEntry | undefined = undefined;
  readonly #slot: Slot;
  readonly #onExpired: (slot: Slot) => void;

  constructor(slot: Slot, onExpired: (slot: Slot) => void) {
    this.#slot = slot;
    this.#onExpired = onExpired;
  }

  onDue(): void {
    this.#onExpired(this.#slot);
  }
}
