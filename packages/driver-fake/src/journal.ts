import type { Clock, ErrorCode, MachineId, MachineState } from '@warmvm/core/driver';

/** A call that a driver began or ended. */
export interface JournalCall {
  readonly kind: 'call-begun' | 'call-ended';
  /** Time on the host's clock. */
  readonly atMs: number;
  /** Name of the driver that was called. */
  readonly driver: string;
  readonly operation: string;
  /** Number of this call among the driver's calls of the operation, from 1. */
  readonly attempt: number;
  readonly machineId: MachineId | null;
  /** How it ended; null while it has only begun. */
  readonly outcome: 'resolved' | 'rejected' | null;
  /** Code of the error that ended it, where it had one. */
  readonly code: ErrorCode | null;
}

/** Something that became true on the host. */
export interface JournalFact {
  readonly kind: 'fact';
  /** Time on the host's clock. */
  readonly atMs: number;
  readonly fact:
    | 'mark-written'
    | 'mark-removed'
    | 'machine-created'
    | 'machine-removed'
    | 'golden-created'
    | 'golden-frozen'
    | 'golden-removed'
    | 'state-changed'
    | 'host-lost'
    | 'host-restored';
  /** Id of the machine or golden snapshot; null for the host itself. */
  readonly id: string | null;
  /** The new state, for `state-changed`. */
  readonly state: MachineState | null;
  readonly generation: number | null;
}

export type JournalEntry = JournalCall | JournalFact;

type Untimed<Entry> = Entry extends unknown ? Omit<Entry, 'atMs'> : never;

/** What happened on a host and when: the truth that measured latencies are checked against. Keeps the newest entries. */
export class Journal {
  readonly #clock: Clock;
  readonly #capacity: number;
  #entries: JournalEntry[] = [];

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** Adds an entry at the present time. */
  write(entry: Untimed<JournalEntry>): void {
    this.#entries.push({ ...entry, atMs: this.#clock.now() } as JournalEntry);
    // Halving in one go keeps the cost of a full journal constant per entry.
    if (this.#entries.length >= 2 * this.#capacity) this.#entries = this.#entries.slice(-this.#capacity);
  }

  /** The newest entries, oldest first; a copy. */
  entries(): readonly JournalEntry[] {
    return this.#entries.slice(-this.#capacity);
  }
}
