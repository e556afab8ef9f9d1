import { isWarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import type { Permit } from './permits.ts';
import type { PoolCore } from './pool-core.ts';
import { goneError } from './pool-errors.ts';
import type { Slot, SlotPhase } from './slot.ts';
import { isUnfitToLend, type SlotWatcher } from './slot-watcher.ts';

/** Takes returned machines back to their golden snapshot, and lets no machine become ready without proof. */
export class SlotCleaner {
  readonly #core: PoolCore;
  readonly #watcher: SlotWatcher;
  #queue: Slot[] = [];

  constructor(core: PoolCore, watcher: SlotWatcher) {
    this.#core = core;
    this.#watcher = watcher;
  }

  /** The slot was moved to resetting; its reset begins when there is a permit. */
  add(slot: Slot): void {
    this.#queue.push(slot);
  }

  /** Starts what there are permits for. */
  pump(): void {
    while (this.#queue.length > 0) {
      const slot = this.#queue[0]!;
      const { phase } = slot;
      if (phase?.kind !== 'resetting') {
        this.#queue.shift();
        continue;
      }
      const permit = slot.host.resets.tryTake();
      if (permit === undefined) return;
      this.#queue.shift();
      this.#reset(slot, phase, permit).catch((error: unknown) => this.#core.machineLost(slot, error));
    }
  }

  /**
   * Probes the machine and makes the slot ready.
   * @param idleSinceMs since when it counts as idle; from now on unless it was ready before
   * @returns the failure, if it was one; the slot is then on its way out
   */
  async settle(slot: Slot, machine: Machine, idleSinceMs?: number): Promise<{ readonly error: unknown } | undefined> {
    const { table } = this.#core;
    const phase = table.move(slot, { kind: 'settling', machine } as const);
    const startedAtMs = this.#core.now();
    try {
      await slot.host.snapshotReset.verify(machine);
      // What was seen of this generation and what the guest proved do not agree: ask.
      const seen = slot.latestChange;
      if (seen?.generation === machine.generation && isUnfitToLend(seen)) {
        await this.#watcher.confirm(machine);
      }
    } catch (error) {
      if (slot.phase !== phase) return { error };
      this.#core.phaseEnded('probe', slot, startedAtMs, { error });
      this.#fail(slot, error);
      return { error };
    }
    // Its guest answered, and yet it was taken meanwhile: it died, or the pool closes.
    if (slot.phase !== phase) return { error: goneError(machine, undefined) };
    const endedAtMs = this.#core.phaseEnded('probe', slot, startedAtMs);
    table.move(slot, { kind: 'ready', machine, sinceMs: idleSinceMs ?? endedAtMs });
    return undefined;
  }

  async #reset(slot: Slot, phase: SlotPhase & { readonly kind: 'resetting' }, permit: Permit): Promise<void> {
    const { counters } = this.#core;
    const { machine } = phase;
    const startedAtMs = this.#core.now();
    slot.runningSinceMs = undefined;
    try {
      await slot.host.snapshotReset.rewind(machine);
    } catch (error) {
      permit.release();
      counters.resetsFailed += 1;
      this.#core.phaseEnded('reset', slot, startedAtMs, { error });
      if (slot.phase === phase) this.#fail(slot, error);
      this.#core.pump();
      return;
    }
    slot.runningSinceMs = this.#core.phaseEnded('reset', slot, startedAtMs);
    if (slot.phase === phase) {
      const failure = await this.settle(slot, machine);
      if (failure === undefined) counters.resets += 1;
      else counters.resetsFailed += 1;
    }
    permit.release();
    this.#core.pump();
  }

  #fail(slot: Slot, error: unknown): void {
    if (isWarmvmError(error, 'WARMVM_HOST_LOST')) this.#core.hostLost(error);
    this.#core.destroy(slot);
  }
}
