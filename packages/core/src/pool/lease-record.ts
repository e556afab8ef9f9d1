import type { DeadlineEntry } from '../deadline/deadlines.ts';
import type { DueLane } from '../deadline/due-lane.ts';
import { WarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import type { Slot } from './slot.ts';

/** How a lease ended; `active` while it has not. */
export type LeaseStatus = 'active' | 'released' | 'discarded' | 'expired' | 'lost' | 'revoked';

/** The pool's side of a lease, and the phase of a slot that is lent. It lets go of the user's side after a moment, so that a lease which nobody holds shows. */
export class LeaseRecord implements DeadlineEntry {
  readonly kind = 'leased' as const;
  dueMs = 0;
  heapIndex = -1;
  lane: DueLane | undefined = undefined;
  sooner: DeadlineEntry | undefined = undefined;
  later: DeadlineEntry | undefined = undefined;
  status: LeaseStatus = 'active';
  /** The user's side, until it is watched over. */
  holder: object | undefined = undefined;
  readonly slot: Slot;
  readonly machine: Machine;
  readonly turn: number;
  readonly generation: number;
  readonly grantedAtMs: number;
  readonly #onExpiry: (record: LeaseRecord) => void;
  #error: WarmvmError | undefined;
  #revocation: AbortController | undefined;
  #use: AbortController | undefined;

  constructor(slot: Slot, machine: Machine, grantedAtMs: number, onExpiry: (record: LeaseRecord) => void) {
    this.slot = slot;
    this.machine = machine;
    this.turn = slot.turn;
    this.generation = machine.generation;
    this.grantedAtMs = grantedAtMs;
    this.#onExpiry = onExpiry;
  }

  onDue(): void {
    this.#onExpiry(this);
  }

  /** Fires when the pool took the machine away, and never for a release. */
  get revocationSignal(): AbortSignal {
    if (this.#revocation === undefined) {
      this.#revocation = new AbortController();
      if (this.#takenAway()) this.#revocation.abort(this.error());
    }
    return this.#revocation.signal;
  }

  /** Fires when the lease ended in whatever way: no call may go on after that. */
  get useSignal(): AbortSignal {
    if (this.#use === undefined) {
      this.#use = new AbortController();
      if (this.status !== 'active') this.#use.abort(this.error());
    }
    return this.#use.signal;
  }

  /** Marks the end. Signals are fired apart, by {@link fire}, when the pool is in order again. */
  end(status: Exclude<LeaseStatus, 'active'>, error?: WarmvmError): void {
    this.status = status;
    this.#error = error;
  }

  fire(): void {
    this.#use?.abort(this.error());
    if (this.#takenAway()) this.#revocation?.abort(this.error());
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

  #takenAway(): boolean {
    return this.status === 'expired' || this.status === 'lost' || this.status === 'revoked';
  }
}
