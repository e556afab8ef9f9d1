import type { CallScope } from '../call/call-scope.ts';
import type { Deadlines } from '../deadline/deadlines.ts';
import type { EventHub } from './event-hub.ts';
import type { CheckedPoolOptions } from './parse-options.ts';
import type { TimedPhase } from './pool-event.ts';
import type { WritableCounters } from './pool-stats.ts';
import type { Slot } from './slot.ts';
import type { SlotTable } from './slot-table.ts';
import type { Demand } from './supply.ts';

/** What the parts of a pool share. */
export interface PoolCore {
  readonly options: CheckedPoolOptions;
  readonly table: SlotTable;
  /** Housekeeping: keeps no process alive. */
  readonly deadlines: Deadlines;
  readonly hub: EventHub;
  readonly counters: WritableCounters;
  /** Ends when the pool begins to close. */
  readonly scope: CallScope;
  readonly closing: boolean;
  /** What supply is measured against, as of now. */
  readonly demand: Demand;
  now(): number;
  /** Brings everything in line with the states of the slots; run after each change of one. */
  pump(): void;
  /** Notes how long a step took and tells about it. @returns when it ended, which is now */
  phaseEnded(phase: TimedPhase, slot: Slot | null, startedAtMs: number, failure?: { readonly error: unknown }): number;
  /** A machine is of no use any more: evicts it, or takes it from its holder. */
  machineLost(slot: Slot, error: unknown): void;
  /** The host is gone, and every machine on it. */
  hostLost(error: unknown): void;
  /** Sends a slot's machine away. */
  destroy(slot: Slot): void;
}
