import { Alarm } from '../deadline/alarm.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { PoolCore } from './pool-core.ts';

/** Age at which a lease is watched: most are released before that, and cost nothing here. */
const WATCHED_AFTER_MS = 1_000;

/**
 * Tells of leases that the garbage collector took while they were active: their holder can never release them. Nothing
 * is reclaimed for that, since what the holder began may go on in the machine; the lease expires as agreed.
 */
export class LeaseWatch {
  readonly #core: PoolCore;
  readonly #alarm: Alarm;
  readonly #registry = new FinalizationRegistry<LeaseRecord>((record) => this.#collected(record));

  constructor(core: PoolCore) {
    this.#core = core;
    this.#alarm = new Alarm(core.deadlines, () => this.#run());
  }

  onGranted(nowMs: number): void {
    if (!this.#alarm.isSet) this.#alarm.set(nowMs + WATCHED_AFTER_MS);
  }

  #run(): void {
    const nowMs = this.#core.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { phase } of this.#core.table.slots) {
      if (phase?.kind !== 'leased' || phase.holder === undefined) continue;
      const watchedAtMs = phase.grantedAtMs + WATCHED_AFTER_MS;
      if (watchedAtMs > nowMs) {
        nextMs = Math.min(nextMs, watchedAtMs);
        continue;
      }
      this.#registry.register(phase.holder, phase);
      phase.holder = undefined;
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#alarm.set(nextMs);
  }

  #collected(record: LeaseRecord): void {
    if (record.status !== 'active') return;
    this.#core.counters.abandoned += 1;
    this.#core.hub.emit({
      type: 'lease-abandoned',
      host: record.slot.host.name,
      slot: record.slot.id,
      turn: record.turn,
      machineId: record.machine.id,
      heldMs: this.#core.now() - record.grantedAtMs,
    });
  }
}
