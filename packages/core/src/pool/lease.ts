import type { CallOptions } from '../driver/call.ts';
import type { Guest } from '../driver/guest.ts';
import type { MachineId, MachineState, PortForward } from '../driver/machine.ts';
import { checkCallOptions } from '../validation/check.ts';
import { callWithinLease, guardGuest } from './guarded-guest.ts';
import type { LeaseRecord, LeaseStatus, ReleaseOutcome } from './lease-record.ts';

/** Options of {@link Lease.renew}. */
export interface RenewOptions {
  /** How long the lease lasts from now. @default the pool's leaseMs */
  readonly leaseMs?: number;
}

/** Exclusive right to one machine at one generation, until it is released or taken away. Dispose releases. */
export interface Lease extends AsyncDisposable {
  readonly machineId: MachineId;
  /** Name of the host that the machine is on, as stats and events name it. */
  readonly host: string;
  /** Number of the slot that the machine is in, as events and reports name it. */
  readonly slot: number;
  /** Number of this lease among those of its slot; with `machineId` it names this lease for ever. */
  readonly turn: number;
  /** Generation of the machine that was lent. */
  readonly generation: number;
  /** When the lease expires, in milliseconds since the Unix epoch. For people: the pool itself counts on a monotonic clock. */
  readonly expiresAtMs: number;
  /** `active`, or how the lease ended. */
  readonly status: LeaseStatus;
  /**
   * Fires when the machine was taken away: the lease expired (`WARMVM_LEASE_EXPIRED`), the machine died
   * (`WARMVM_MACHINE_CRASHED`, `WARMVM_MACHINE_GONE`), the host was lost (`WARMVM_HOST_LOST`) or the pool closed
   * (`WARMVM_POOL_CLOSED`). The reason is that error. Never fires for a release.
   */
  readonly signal: AbortSignal;
  /** What runs in the machine. Every use after the end of the lease rejects, also one that was under way. */
  readonly guest: Guest;
  /** Ports of the host that lead to the guest, where the driver was told to forward some. None after the end of the lease. */
  readonly forwards: readonly PortForward[];
  /** What the hypervisor says of the machine. @throws WARMVM_LEASE_RELEASED and the like after the end of the lease */
  state(options?: CallOptions): Promise<MachineState>;
  /**
   * Lets the lease last `leaseMs` from now on.
   * @throws WARMVM_LEASE_RELEASED, WARMVM_LEASE_EXPIRED and the like when it has ended; RangeError, TypeError for a bad option
   */
  renew(options?: RenewOptions): Promise<void>;
  /** Gives the machine back. Resolves at once; the reset happens behind it. A late or second release changes nothing and says so. */
  release(): Promise<ReleaseOutcome>;
  /** Gives the machine back to be destroyed rather than reset. @param reason for people and events */
  discard(reason?: string): Promise<ReleaseOutcome>;
}

/** What a release gives that was the first. */
export const done: ReleaseOutcome = Object.freeze({ released: true });

/** Nearly every release gives the same, so one promise serves all. */
const released: Promise<ReleaseOutcome> = Promise.resolve(done);

/** Who uses the guest holds the lease too, though it refers to the pool's side alone. */
const heldBy = new WeakMap<Guest, Lease>();

/** The user's side of a lease. */
export class PooledLease implements Lease {
  readonly #record: LeaseRecord;
  #guest: Guest | undefined;

  constructor(record: LeaseRecord) {
    this.#record = record;
  }

  get machineId(): MachineId {
    return this.#record.machine.id;
  }

  get host(): string {
    return this.#record.slot.host.name;
  }

  get slot(): number {
    return this.#record.slot.id;
  }

  get turn(): number {
    return this.#record.turn;
  }

  get generation(): number {
    return this.#record.generation;
  }

  get expiresAtMs(): number {
    const { clock } = this.#record.keeper;
    return clock.wallTimeMs() + (this.#record.dueMs - clock.now());
  }

  get status(): LeaseStatus {
    return this.#record.status;
  }

  get signal(): AbortSignal {
    return this.#record.revocationSignal;
  }

  get guest(): Guest {
    if (this.#guest === undefined) {
      this.#guest = guardGuest(this.#record);
      heldBy.set(this.#guest, this);
    }
    return this.#guest;
  }

  get forwards(): readonly PortForward[] {
    const { status, machine } = this.#record;
    return status === 'active' ? (machine.forwards ?? []) : [];
  }

  state(options?: CallOptions): Promise<MachineState> {
    return callWithinLease(this.#record, options, (bound) => this.#record.machine.state(bound));
  }

  async renew(options: RenewOptions = {}): Promise<void> {
    checkCallOptions('options', options, ['leaseMs']);
    this.#record.keeper.renew(this.#record, options.leaseMs);
  }

  release(): Promise<ReleaseOutcome> {
    try {
      const outcome = this.#record.keeper.release(this.#record);
      return outcome === done ? released : Promise.resolve(outcome);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async discard(reason?: string): Promise<ReleaseOutcome> {
    return this.#record.keeper.discard(this.#record, reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#record.keeper.release(this.#record);
  }
}
