import type { BreakerState } from './creation-gate.ts';
import type { HostState } from './host-health.ts';
import type { TimedPhase } from './pool-event.ts';
import type { SlotCounts } from './supply.ts';

/** What was counted since the pool was made. Only grows. */
export interface PoolCounters {
  /** Leases granted: `warm` and `waited` together. */
  readonly acquired: number;
  /** Acquires served at once from a ready machine. */
  readonly warm: number;
  /** Acquires served after waiting in line. */
  readonly waited: number;
  readonly timedOut: number;
  readonly aborted: number;
  /** Acquires refused at the bound of the line, or since nothing was ready and they would not wait. */
  readonly refused: number;
  readonly released: number;
  readonly discarded: number;
  readonly expired: number;
  /** Leases whose machine or host was lost. */
  readonly lost: number;
  /** Leases taken back by close. */
  readonly revoked: number;
  /** Leases whose holder was collected as garbage; they expire later, and count as expired then. */
  readonly abandoned: number;
  /** Machines forked or adopted. */
  readonly created: number;
  /** Machines adopted from a dead process. */
  readonly adopted: number;
  readonly creationsFailed: number;
  readonly destroyed: number;
  readonly destroysFailed: number;
  readonly resets: number;
  readonly resetsFailed: number;
  /** Ready machines put away because they had died or failed a check. */
  readonly evicted: number;
  /** Machines put away for idleness, age or turns. */
  readonly retired: number;
}

/** One host of a pool at one moment. */
export interface HostStats {
  readonly name: string;
  /** Name of its driver. */
  readonly driver: string;
  /** What the host calls itself; null as long as no golden snapshot is there. */
  readonly reportedAs: string | null;
  readonly state: HostState;
  /** Whether it was told to drain, also while it is down. */
  readonly isDraining: boolean;
  /** Whether the golden snapshot is there. */
  readonly isPrepared: boolean;
  /** Slots there, by state. */
  readonly slots: SlotCounts;
  /** Every footprint there; what `max` bounds. */
  readonly total: number;
  readonly max: number;
  readonly breaker: BreakerState;
  /** Why the last attempt there failed; undefined when it went well. */
  readonly lastCreationError: unknown;
}

/** The pool at one moment. */
export interface PoolStats {
  readonly name: string;
  /** Slots by state; each is the count of the slots that are in it. */
  readonly slots: SlotCounts;
  /** Every footprint. What `max` bounds is this without what is on hosts that are down. */
  readonly total: number;
  /** Callers in line. */
  readonly waiting: number;
  readonly minReady: number;
  /** In machines: without what drivers keep besides. */
  readonly max: number;
  readonly state: 'open' | 'suspended' | 'closing' | 'closed';
  /** The best that the breaker of any host says. */
  readonly breaker: BreakerState;
  /** Each host, in the order of `drivers`. */
  readonly hosts: readonly HostStats[];
  readonly counters: PoolCounters;
  /** How long each step took when it was last done, in milliseconds; null when it never was. */
  readonly lastPhaseMs: Readonly<Record<TimedPhase, number | null>>;
  /** Why the last creation on any host failed; undefined when the last one went well. */
  readonly lastCreationError: unknown;
}

/** {@link PoolCounters} as the pool writes them. */
export type WritableCounters = { -readonly [Name in keyof PoolCounters]: PoolCounters[Name] };

export function makeCounters(): WritableCounters {
  return {
    acquired: 0,
    warm: 0,
    waited: 0,
    timedOut: 0,
    aborted: 0,
    refused: 0,
    released: 0,
    discarded: 0,
    expired: 0,
    lost: 0,
    revoked: 0,
    abandoned: 0,
    created: 0,
    adopted: 0,
    creationsFailed: 0,
    destroyed: 0,
    destroysFailed: 0,
    resets: 0,
    resetsFailed: 0,
    evicted: 0,
    retired: 0,
  };
}
