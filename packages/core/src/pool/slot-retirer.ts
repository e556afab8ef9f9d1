import { Alarm } from '../deadline/alarm.ts';
import type { PoolCore } from './pool-core.ts';
import type { Slot } from './slot.ts';
import { excessOver, surplusOf } from './supply.ts';

/**
 * Puts away ready machines that are too many, too old or unused for too long. An old one goes only when another spare
 * stands in for it: make before break. Nothing but the bound `max` takes the spares below `minReady`.
 */
export class SlotRetirer {
  readonly #core: PoolCore;
  readonly #alarm: Alarm;

  constructor(core: PoolCore) {
    this.#core = core;
    this.#alarm = new Alarm(core.deadlines, () => {
      this.run();
      core.pump();
    });
  }

  /** Ready slots past their age: still lent, but no longer counted on. */
  countAged(): number {
    if (this.#core.options.maxAgeMs === Number.POSITIVE_INFINITY) return 0;
    const nowMs = this.#core.now();
    let aged = 0;
    for (const slot of this.#ready()) if (slot.retireAtMs <= nowMs) aged += 1;
    return aged;
  }

  /** A slot became ready: looks at it again when its time may have come. */
  onReady(slot: Slot): void {
    const { phase } = slot;
    if (phase?.kind !== 'ready') return;
    const dueMs = Math.min(slot.retireAtMs, phase.sinceMs + this.#core.options.maxIdleMs);
    if (dueMs !== Number.POSITIVE_INFINITY) this.#alarm.setNoLaterThan(dueMs);
  }

  /** What cannot wait for the alarm. */
  pump(): void {
    const { table, demand } = this.#core;
    if (table.counts.ready === 0) return;
    if (excessOver(this.#core.counts, demand.max) > 0 || this.countAged() > 0) this.run();
  }

  run(): void {
    const { table, demand, options } = this.#core;
    const nowMs = this.#core.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const slot of this.#ready()) {
      const { phase } = slot;
      if (phase?.kind !== 'ready') continue;
      const idleAtMs = phase.sinceMs + options.maxIdleMs;
      const tooMany = excessOver(this.#core.counts, demand.max) > 0;
      const tooOld = slot.retireAtMs <= nowMs && table.counts.ready > demand.minReady;
      const tooIdle = idleAtMs <= nowMs && surplusOf(table.counts, demand) > 0;
      if (tooMany || tooOld || tooIdle) {
        this.#core.counters.retired += 1;
        this.#core.destroy(slot);
        continue;
      }
      if (slot.retireAtMs > nowMs) nextMs = Math.min(nextMs, slot.retireAtMs);
      if (idleAtMs > nowMs) nextMs = Math.min(nextMs, idleAtMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#alarm.set(nextMs);
  }

  /** Those that have been ready longest come first. */
  #ready(): readonly Slot[] {
    const slots: Slot[] = [];
    for (let slot = this.#core.table.newestReady; slot !== undefined; slot = slot.previousReady) slots.push(slot);
    return slots.reverse();
  }
}
