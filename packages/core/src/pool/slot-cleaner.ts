import type { Machine } from '../driver/machine.ts';
import { probeStep, resetStep, type Step } from '../reset/renewal-step.ts';
import type { PoolCore } from './pool-core.ts';
import type { PoolHost } from './pool-host.ts';
import type { Slot } from './slot.ts';
import { type CleaningBounds, type CleaningFailure, SlotCleaning, type StepBound } from './slot-cleaning.ts';
import type { SlotWatcher } from './slot-watcher.ts';

/** Takes returned machines back to their golden snapshot, and lets no machine become ready without proof. */
export class SlotCleaner {
  readonly #core: PoolCore;
  readonly #watcher: SlotWatcher;
  readonly #bounds: CleaningBounds;

  constructor(core: PoolCore, watcher: SlotWatcher) {
    this.#core = core;
    this.#watcher = watcher;
    const { deadlines, options } = core;
    const boundOf = ({ timeout }: Step): StepBound => {
      return { timeoutMs: options.timeouts[timeout], lane: deadlines.openLane() };
    };
    this.#bounds = { reset: boundOf(resetStep), probe: boundOf(probeStep) };
  }

  /** Moves the slot to resetting; its reset begins when its host has a permit. */
  add(slot: Slot, machine: Machine): void {
    this.#cleaningOf(slot, machine).takeBack();
    const { host } = slot;
    if (host.lastToClean === undefined) host.firstToClean = slot;
    else host.lastToClean.nextToClean = slot;
    host.lastToClean = slot;
  }

  /** Starts what there are permits for. */
  pump(): void {
    for (const host of this.#core.hosts) this.begin(host);
  }

  /** The same for one host. */
  begin(host: PoolHost): void {
    for (let slot = host.firstToClean; slot !== undefined; slot = host.firstToClean) {
      const { phase } = slot;
      const isStillDirty = phase?.kind === 'resetting';
      const permit = isStillDirty ? host.resets.tryTake() : undefined;
      if (isStillDirty && permit === undefined) return;
      host.firstToClean = slot.nextToClean;
      slot.nextToClean = undefined;
      if (host.firstToClean === undefined) host.lastToClean = undefined;
      if (isStillDirty && permit !== undefined) this.#cleaningOf(slot, phase.machine).reset(permit);
    }
  }

  /**
   * Probes the machine and makes the slot ready. Never rejects.
   * @param idleSinceMs since when it counts as idle; from now on unless it was ready before
   * @returns the failure, if it was one; the slot is then on its way out
   */
  settle(slot: Slot, machine: Machine, idleSinceMs?: number): Promise<CleaningFailure | undefined> {
    return new Promise((resolve) => {
      this.#cleaningOf(slot, machine).settle(idleSinceMs, resolve);
    });
  }

  #cleaningOf(slot: Slot, machine: Machine): SlotCleaning {
    slot.cleaning ??= new SlotCleaning(this.#core, this.#watcher, this.#bounds, slot, machine);
    return slot.cleaning;
  }
}
