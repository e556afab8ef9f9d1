import type { DueLane } from '../deadline/due-lane.ts';
import type { Clock } from '../driver/clock.ts';
import { isWarmvmError, type WarmvmError } from '../driver/error.ts';
import { done, PooledLease } from './lease.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { type LeaseKeeper, LeaseRecord, type LeaseStatus, type ReleaseOutcome } from './lease-record.ts';
import { LeaseWatch } from './lease-watch.ts';
import { checkLeaseMs } from './parse-options.ts';
import type { RevokedLease } from './pool.ts';
import type { PoolCore } from './pool-core.ts';
import { expiredError, goneError } from './pool-errors.ts';
import type { Slot } from './slot.ts';
import type { SlotCleaner } from './slot-cleaner.ts';
import { excessOver } from './supply.ts';

/** Grants leases and takes machines back. A lease of an earlier turn can do nothing here: its record has ended. */
export class LeaseDesk implements LeaseKeeper {
  readonly clock: Clock;
  readonly #core: PoolCore;
  readonly #cleaner: SlotCleaner;
  readonly #watch: LeaseWatch;
  readonly #lane: DueLane;

  constructor(core: PoolCore, cleaner: SlotCleaner) {
    this.#core = core;
    this.#cleaner = cleaner;
    this.#watch = new LeaseWatch(core);
    this.#lane = core.deadlines.openLane();
    this.clock = core.options.clock;
  }

  /** Lends a ready slot. */
  grant(slot: Slot, leaseMs: number, nowMs: number): PooledLease {
    const { phase } = slot;
    if (phase?.kind !== 'ready') throw new Error(`slot ${slot.id} is not ready to be lent`);
    slot.turn += 1;
    slot.uses += 1;
    const dueMs = nowMs + leaseMs;
    const record = new LeaseRecord(this, slot, phase.machine, nowMs, dueMs);
    this.#core.table.move(slot, record);
    this.#core.deadlines.add(this.#expiryOf(slot), dueMs, this.#lane);
    this.#core.counters.acquired += 1;
    const lease = new PooledLease(record);
    record.holder = lease;
    this.#watch.onGranted(nowMs);
    return lease;
  }

  release(record: LeaseRecord): ReleaseOutcome {
    if (record.status !== 'active') return { released: false, reason: record.status };
    this.#core.counters.released += 1;
    this.#end(record, 'released');
    return done;
  }

  discard(record: LeaseRecord, reason: string | undefined): ReleaseOutcome {
    if (record.status !== 'active') return { released: false, reason: record.status };
    this.#core.counters.discarded += 1;
    this.#end(record, 'discarded', undefined, reason);
    return done;
  }

  renew(record: LeaseRecord, requestedMs: number | undefined): void {
    const leaseMs = requestedMs === undefined ? this.#core.options.leaseMs : checkLeaseMs(requestedMs);
    if (record.status !== 'active') throw record.error();
    const expiry = this.#expiryOf(record.slot);
    record.dueMs = this.#core.now() + leaseMs;
    this.#core.deadlines.remove(expiry);
    this.#core.deadlines.add(expiry, record.dueMs);
  }

  /** Takes the machine from its holder since it is of no use any more. */
  lose(record: LeaseRecord, error: unknown): void {
    this.#core.counters.lost += 1;
    this.#end(record, 'lost', isWarmvmError(error) ? error : goneError(record.machine, error));
  }

  /** Takes every lent machine back, and says which. */
  revokeAll(error: WarmvmError): readonly RevokedLease[] {
    const revoked: RevokedLease[] = [];
    for (const { phase } of [...this.#core.table.slots]) {
      // A holder whose signal fires may release others meanwhile.
      if (phase?.kind !== 'leased' || phase.status !== 'active') continue;
      revoked.push({ host: phase.slot.host.name, machineId: phase.machine.id, turn: phase.turn });
      this.#core.counters.revoked += 1;
      this.#end(phase, 'revoked', error);
    }
    return revoked;
  }

  readonly #onExpired = ({ phase }: Slot): void => {
    if (phase?.kind === 'leased') this.#expire(phase);
  };

  #expiryOf(slot: Slot): LeaseExpiry {
    slot.expiry ??= new LeaseExpiry(slot, this.#onExpired);
    return slot.expiry;
  }

  #expire(record: LeaseRecord): void {
    this.#core.counters.expired += 1;
    this.#end(record, 'expired', expiredError(record, this.#core.now() - record.grantedAtMs));
  }

  #end(record: LeaseRecord, status: Exclude<LeaseStatus, 'active'>, error?: WarmvmError, reason?: string): void {
    const { slot } = record;
    record.end(status, error);
    this.#core.deadlines.remove(this.#expiryOf(slot));
    if (this.#core.hub.wanted) {
      this.#core.hub.emit({
        type: 'lease-ended',
        host: slot.host.name,
        slot: slot.id,
        turn: record.turn,
        machineId: record.machine.id,
        status,
        heldMs: this.#core.now() - record.grantedAtMs,
        reason: error ?? reason,
      });
    }
    const isKept = (status === 'released' || status === 'expired') && this.#isWorthReset(slot);
    if (isKept) this.#cleaner.add(slot, record.machine);
    else this.#core.destroy(slot);
    record.fire();
    // By a reset nothing is ready yet, and no more is wanted than before: all that can follow is that it begins.
    if (isKept) this.#cleaner.begin(slot.host);
    else this.#core.pump();
  }

  #isWorthReset(slot: Slot): boolean {
    const { closing, options, counts, demand, counters } = this.#core;
    if (closing || !slot.host.resettable || slot.host.health.isDraining) return false;
    const tooOld = slot.retireAtMs !== Number.POSITIVE_INFINITY && slot.retireAtMs <= this.#core.now();
    if (slot.uses >= options.maxTurns || tooOld || excessOver(counts, demand.max) > 0) {
      counters.retired += 1;
      return false;
    }
    return true;
  }
}
