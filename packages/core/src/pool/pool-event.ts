import type { MachineId } from '../driver/machine.ts';
import type { BreakerState } from './creation-gate.ts';
import type { LeaseStatus } from './lease-record.ts';
import type { CloseReport } from './pool.ts';
import type { AnySlotState } from './slot.ts';

/** How a call of acquire went: served at once, served after waiting, or why not. */
export type AcquireOutcome = 'warm' | 'waited' | 'timeout' | 'aborted' | 'refused' | 'closed';

/**
 * A step whose time is taken. `detect` runs from the moment at which a fork or reset has ended to the moment at which the
 * watch told that the new generation is running; it is 0 when the watch was first.
 */
export type TimedPhase = 'prepare' | 'fork' | 'detect' | 'probe' | 'reset' | 'destroy';

/** What happened, without the name of the pool and the time. */
export type PoolEventBody =
  | {
      readonly type: 'slot-changed';
      readonly host: string;
      readonly slot: number;
      readonly turn: number;
      readonly machineId: MachineId | null;
      readonly generation: number | null;
      readonly from: AnySlotState;
      readonly to: AnySlotState;
    }
  | {
      readonly type: 'acquire-settled';
      readonly outcome: AcquireOutcome;
      /** Time in line: 0 for one that was served or refused at once. */
      readonly waitedMs: number;
      /** What was lent; absent unless the outcome is `warm` or `waited`. */
      readonly host?: string;
      readonly slot?: number;
      readonly turn?: number;
      readonly machineId?: MachineId;
    }
  | {
      readonly type: 'lease-ended';
      readonly host: string;
      readonly slot: number;
      readonly turn: number;
      readonly machineId: MachineId;
      readonly status: Exclude<LeaseStatus, 'active'>;
      readonly heldMs: number;
      /** What the holder of `discard` gave as reason, or why the machine was taken away. */
      readonly reason: unknown;
    }
  | {
      /** The garbage collector took an active lease: nobody can release it, and it goes on until it expires. */
      readonly type: 'lease-abandoned';
      readonly host: string;
      readonly slot: number;
      readonly turn: number;
      readonly machineId: MachineId;
      readonly heldMs: number;
    }
  | {
      readonly type: 'phase-ended';
      readonly phase: TimedPhase;
      readonly host: string;
      /** Null for `prepare`, which no slot is made for; so are the three after it. */
      readonly slot: number | null;
      /** The lease that this step follows: 0 while the machine was never lent. */
      readonly turn: number | null;
      /** Null as long as there is no machine. */
      readonly machineId: MachineId | null;
      readonly generation: number | null;
      readonly durationMs: number;
      /** Absent when it went well. */
      readonly error?: unknown;
    }
  | {
      readonly type: 'creation-failed';
      readonly host: string;
      readonly error: unknown;
      readonly failuresInARow: number;
      readonly retryInMs: number;
    }
  | {
      readonly type: 'breaker-changed';
      readonly host: string;
      readonly from: BreakerState;
      readonly to: BreakerState;
    }
  | {
      readonly type: 'machine-lost';
      readonly host: string;
      readonly slot: number;
      readonly machineId: MachineId;
      readonly error: unknown;
    }
  | {
      /** The host was lost, cannot be reached, or has gone silent: everything there is lost to the pool. */
      readonly type: 'host-down';
      readonly host: string;
      readonly error: unknown;
    }
  | {
      /** A host that was down answers again; what was left there is put away before machines are made there. */
      readonly type: 'host-up';
      readonly host: string;
      readonly downMs: number;
    }
  | { readonly type: 'host-draining' | 'host-drained' | 'host-undrained'; readonly host: string }
  | {
      readonly type: 'quarantined';
      readonly host: string;
      readonly slot: number;
      readonly machineId: MachineId | null;
      readonly error: unknown;
    }
  | {
      readonly type: 'swept';
      readonly host: string;
      readonly removed: readonly MachineId[];
      /** Machines taken over; each is reset before it is lent. */
      readonly adopted: readonly MachineId[];
      readonly failed: readonly { readonly id: MachineId; readonly error: unknown }[];
      /** Records left alone: their owner lives, or cannot be judged. */
      readonly kept: number;
    }
  | { readonly type: 'sweep-failed'; readonly host: string; readonly error: unknown }
  | { readonly type: 'resized'; readonly minReady: number; readonly max: number }
  | { readonly type: 'suspended' | 'resumed' | 'closing' }
  | { readonly type: 'closed'; readonly report: CloseReport }
  | {
      /** Told to one reader alone: it was too slow, and this many events before the next were dropped. */
      readonly type: 'events-dropped';
      readonly count: number;
    };

/** Something that happened in a pool. For one slot, events come in the order of their cause. */
export type PoolEvent = PoolEventBody & {
  readonly pool: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
};
