import { Alarm } from '../deadline/alarm.ts';
import type { PoolCore } from './pool-core.ts';
import type { Slot } from './slot.ts';
import type { SlotCleaner } from './slot-cleaner.ts';

/**
 * Probes ready machines now and then, one at a time and at jittered times. The slot is held meanwhile: it is neither
 * lent nor put away, and keeps its place among the idle ones.
 */
export class SlotChecker {
  readonly #core: PoolCore;
  readonly #cleaner: SlotCleaner;
  readonly #alarm: Alarm;
  #isChecking = false;

  constructor(core: PoolCore, cleaner: SlotCleaner) {
    this.#core = core;
    this.#cleaner = cleaner;
    this.#alarm = new Alarm(core.deadlines, () => this.#run());
  }

  /** A slot became ready: it proved itself just now. */
  onReady(slot: Slot): void {
    const { checkIdleEveryMs, random } = this.#core.options;
    if (checkIdleEveryMs === Number.POSITIVE_INFINITY) return;
    slot.checkAtMs = this.#core.now() + checkIdleEveryMs * (1 - 0.1 * random());
    this.#alarm.setNoLaterThan(slot.checkAtMs);
  }

  /** A ready machine may be of no use: it proves itself at once, or goes. Any other is judged elsewhere. */
  doubt(slot: Slot): void {
    this.#prove(slot).catch((error: unknown) => this.#core.machineLost(slot, error));
  }

  #run(): void {
    if (this.#isChecking || this.#core.closing) return;
    const nowMs = this.#core.now();
    let due: Slot | undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (let slot = this.#core.table.newestReady; slot !== undefined; slot = slot.previousReady) {
      if (slot.checkAtMs > nowMs) nextMs = Math.min(nextMs, slot.checkAtMs);
      else if (due === undefined || slot.checkAtMs < due.checkAtMs) due = slot;
    }
    if (due !== undefined) this.#check(due).catch((error: unknown) => this.#core.machineLost(due, error));
    else if (nextMs !== Number.POSITIVE_INFINITY) this.#alarm.set(nextMs);
  }

  async #check(slot: Slot): Promise<void> {
    this.#isChecking = true;
    await this.#prove(slot);
    this.#isChecking = false;
    this.#run();
  }

  async #prove(slot: Slot): Promise<void> {
    const { phase } = slot;
    if (phase?.kind !== 'ready') return;
    const failure = await this.#cleaner.settle(slot, phase.machine, phase.sinceMs);
    if (failure !== undefined && !this.#core.closing) this.#core.counters.evicted += 1;
    this.#core.pump();
  }
}
