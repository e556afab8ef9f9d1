import type { Clock } from '../driver/clock.ts';
import { WarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import type { Slot } from './slot.ts';

/** How a lease ended; `active` while it has not. */
export type LeaseStatus = 'active' | 'released' | 'discarded' | 'expired' | 'lost' | 'revoked';

/** What a release or discard did. */
export type ReleaseOutcome =
  | { readonly released: true }
  | {
      readonly released: false;
      /** How the lease had ended before. */
      readonly reason: Exclude<LeaseStatus, 'active'>;
    };

/** What a lease asks of its pool. */
export interface LeaseKeeper {
  readonly clock: Clock;
  release(record: LeaseRecord): ReleaseOutcome;
  discard(record: LeaseRecord, reason: string | undefined): ReleaseOutcome;
  /** @throws the lease's error; RangeError, TypeError for a bad duration */
  renew(record: LeaseRecord, leaseMs: number | undefined): void;
}

/** What fires when a lease ends; made for those who look at it. */
interface LeaseSignals {
  revocation: AbortController | undefined;
  use: AbortController | undefined;
}

/** The pool's side of a lease, and the phase of a slot that is lent. It lets go of the user's side after a moment, so that a lease which nobody holds shows. */
export class LeaseRecord {
  readonly kind = 'leased' as const;
  status: LeaseStatus = 'active';
  /** The user's side, until it is watched over. */
  holder: object | undefined = undefined;
  readonly slot: Slot;
  readonly machine: Machine;
  readonly turn: number;
  readonly generation: number;
  readonly grantedAtMs: number;
  /** When it expires, on the monotonic scale. */
  dueMs: number;
  readonly keeper: LeaseKeeper;
  #error: WarmvmError | undefined;
  #signals: LeaseSignals | undefined;

  constructor(keeper: LeaseKeeper, slot: Slot, machine: Machine, grantedAtMs: number, dueMs: number) {
    this.keeper = keeper;
    this.slot = slot;
    this.machine = machine;
    this.turn = slot.turn;
    this.generation = machine.generation;
    this.grantedAtMs = grantedAtMs;
    this.dueMs = dueMs;
  }

  /** Fires when the pool took the machine away, and never for a release. */
  get revocationSignal(): AbortSignal {
    const signals = this.#madeSignals();
    if (signals.revocation === undefined) {
      signals.revocation = new AbortController();
      if (this.#takenAway()) signals.revocation.abort(this.error());
    }
    return signals.revocation.signal;
  }

  /** Fires when the lease ended in whatever way: no call may go on after that. */
  get useSignal(): AbortSignal {
    const signals = this.#madeSignals();
    if (signals.use === undefined) {
      signals.use = new AbortController();
      if (this.status !== 'active') signals.use.abort(this.error());
    }
    return signals.use.signal;
  }

  /** Marks the end. Signals are fired apart, by {@link fire}, when the pool is in order again. */
  end(status: Exclude<LeaseStatus, 'active'>, error?: WarmvmError): void {
    this.status = status;
    this.#error = error;
  }

  fire(): void {
    if (this.#signals === undefined) return;
    this.#signals.use?.abort(this.error());
    if (this.#takenAway()) this.#signals.revocation?.abort(this.error());
  }

  /** What a use after the end rejects with. */
  error(): WarmvmError {
    this.#error ??= new WarmvmError(
      'WARMVM_LEASE_RELEASED',
      `the lease of machine ${this.machine.id} (turn ${this.turn}) was ${this.status}; acquire another one`,
      { details: { machineId: this.machine.id, turn: this.turn, generation: this.generation } },
    );
    return this.#error;
  }

  #madeSignals(): LeaseSignals {
    this.#signals ??= { revocation: undefined, use: undefined };
    return this.#signals;
  }

  #takenAway(): boolean {
    return this.status === 'expired' || this.status === 'lost' || this.status === 'revoked';
  }
}
