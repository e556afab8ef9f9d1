import type { PoolCore } from './pool-core.ts';
import type { Slot } from './slot.ts';
import type { SlotCleaner } from './slot-cleaner.ts';

/** Milliseconds that the clock of this computer may be set by before ready machines count as wrong. */
const CLOCK_TOLERANCE_MS = 1_000;

/**
 * Keeps the clocks of ready machines right. A fork or reset sets the guest's clock; when the clock of this computer is set later, or
 * the computer slept, the guest does not know. The pool sees it in its own two clocks: wall time moved and monotonic time did not.
 */
export class GuestClocks {
  readonly #core: PoolCore;
  readonly #cleaner: SlotCleaner;

  constructor(core: PoolCore, cleaner: SlotCleaner) {
    this.#core = core;
    this.#cleaner = cleaner;
  }

  /** What wall time is ahead of monotonic time. */
  wallOffsetMs(): number {
    const { clock } = this.#core.options;
    return clock.wallTimeMs() - clock.now();
  }

  /** The slot to lend from. Two clocks are read and compared; nothing else is done where they agree. */
  get lendable(): Slot | undefined {
    const slot = this.#core.table.newestReady;
    if (slot === undefined || !isWrong(slot, this.wallOffsetMs())) return slot;
    this.renew();
    return this.#core.table.newestReady;
  }

  /** Sends every ready machine whose clock is wrong through a reset, which sets it; or replaces it where there is none. */
  renew(): void {
    const offsetMs = this.wallOffsetMs();
    let slot = this.#core.table.newestReady;
    while (slot !== undefined) {
      const next: Slot | undefined = slot.previousReady;
      if (isWrong(slot, offsetMs)) this.#renew(slot);
      slot = next;
    }
  }

  #renew(slot: Slot): void {
    const { phase, host } = slot;
    if (phase?.kind !== 'ready') return;
    if (host.resettable && !host.health.isDraining) {
      this.#cleaner.add(slot, phase.machine);
      this.#cleaner.begin(host);
      return;
    }
    this.#core.destroy(slot);
    this.#core.pump();
  }
}

function isWrong(slot: Slot, offsetMs: number): boolean {
  return Math.abs(offsetMs - slot.wallOffsetMs) > CLOCK_TOLERANCE_MS;
}
