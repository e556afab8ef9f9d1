import type { Machine, MachineChange } from '../driver/machine.ts';
import type { LeaseExpiry } from './lease-expiry.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { PoolHost } from './pool-host.ts';
import type { SlotCleaning } from './slot-cleaning.ts';

/** What a slot is doing, with the data that belongs to it. */
export type SlotPhase =
  | { readonly kind: 'creating' }
  | SettlingPhase
  | ReadyPhase
  | LeaseRecord
  | ResettingPhase
  | { readonly kind: 'destroying'; readonly machine: Machine | undefined; readonly attempts: number }
  | {
      readonly kind: 'quarantined';
      readonly machine: Machine | undefined;
      readonly attempts: number;
      readonly error: unknown;
    };

/** A machine proves itself. */
export interface SettlingPhase {
  readonly kind: 'settling';
  readonly machine: Machine;
}

/** A machine may be lent. */
export interface ReadyPhase {
  readonly kind: 'ready';
  readonly machine: Machine;
  /** When it became idle, on the monotonic scale. */
  readonly sinceMs: number;
}

/** A machine is taken back to its golden snapshot, or stands in line for that. */
export interface ResettingPhase {
  readonly kind: 'resetting';
  readonly machine: Machine;
}

/** Name of a {@link SlotPhase}. */
export type SlotState = SlotPhase['kind'];

/** The same, also of a slot that is not there. */
export type AnySlotState = SlotState | 'absent';

/** One footprint on a host: the only place that says what becomes of a machine. */
export class Slot {
  readonly id: number;
  readonly host: PoolHost;
  /** Losses of its host before it was made. */
  readonly epoch: number;
  /** Replaced by the slot table alone. */
  phase: SlotPhase | undefined = undefined;
  /** Name of its phase, for those who ask often; replaced with it. */
  state: AnySlotState = 'absent';
  /**
   * How often it has moved; counted by the slot table alone. The token of an operation: whoever comes back from waiting
   * goes on only if the slot has not moved since.
   */
  moves = 0;
  /** Number of the latest lease of this slot; 0 before the first. Only grows. */
  turn = 0;
  /** How often its machine was lent. */
  uses = 0;
  /** When it should be retired for its age, on the monotonic scale. */
  retireAtMs: number = Number.POSITIVE_INFINITY;
  /** When it should be probed again while it is ready, on the monotonic scale. */
  checkAtMs: number = Number.POSITIVE_INFINITY;
  /** Newest change that was seen of its machine. */
  latestChange: MachineChange | undefined = undefined;
  /** When the fork or reset that began its present generation ended, on the monotonic scale; absent while one is under way. */
  runningSinceMs: number | undefined = undefined;
  /** Latest generation that the watch told to be running. */
  detectedGeneration = 0;
  /** Set while a new machine proves itself: to be told when it died meanwhile, before its slot is used again. */
  creationLost: ((error: unknown) => void) | undefined = undefined;
  /** Ends its leases when their time is over; made for the first. */
  expiry: LeaseExpiry | undefined = undefined;
  /** Resets and probes its machine; made for the first time that this is done. */
  cleaning: SlotCleaning | undefined = undefined;
  /** Whose machine is cleaned after this one; kept by the cleaner alone. */
  nextToClean: Slot | undefined = undefined;
  /** What the wall clock was ahead of the monotonic one when its present generation was begun: other by now, its guest's clock is wrong. */
  wallOffsetMs: number = Number.NaN;
  /** Whether the watch over its machine has told something and did not break since. */
  isHeard = false;
  /** When its hypervisor is asked for the state next, on the monotonic scale; kept by the watcher alone, as the next two. */
  pollAtMs: number = Number.POSITIVE_INFINITY;
  /** Place in the backoff of state polling; absent in the slow beat. */
  pollStep: number | undefined = undefined;
  isAsked = false;
  /** Ends the watch over its machine. */
  watch: AbortController | undefined = undefined;
  /** Neighbours among the ready slots; kept by the slot table alone. */
  previousReady: Slot | undefined = undefined;
  nextReady: Slot | undefined = undefined;

  constructor(id: number, host: PoolHost) {
    this.id = id;
    this.host = host;
    this.epoch = host.health.epoch;
  }

  get machine(): Machine | undefined {
    const { phase } = this;
    return phase === undefined || phase.kind === 'creating' ? undefined : phase.machine;
  }
}
