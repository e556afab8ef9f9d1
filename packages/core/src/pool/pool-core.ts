import type { Deadlines } from '../deadline/deadlines.ts';
import type { EventHub } from './event-hub.ts';
import type { GuestClocks } from './guest-clocks.ts';
import type { CheckedPoolOptions } from './parse-options.ts';
import type { TimedPhase } from './pool-event.ts';
import type { PoolHost } from './pool-host.ts';
import type { WritableCounters } from './pool-stats.ts';
import type { Slot } from './slot.ts';
import type { SlotTable } from './slot-table.ts';
import type { Demand, SlotCounts } from './supply.ts';

/** What the parts of a pool share. */
export interface PoolCore {
  readonly options: CheckedPoolOptions;
  readonly hosts: readonly PoolHost[];
  readonly table: SlotTable;
  /** Slots by state, without those on hosts that are down: what supply is measured on. */
  readonly counts: SlotCounts;
  /** Housekeeping: keeps no process alive. */
  readonly deadlines: Deadlines;
  readonly hub: EventHub;
  readonly counters: WritableCounters;
  readonly closing: boolean;
  /** What supply is measured against, as of now. */
  readonly demand: Demand;
  now(): number;
  /** Brings everything in line with the states of the slots; run after each change of one. @param nowMs what the clock says, where it was read in this very step */
  pump(nowMs?: number): void;
  /** Notes how long a step took and tells about it. @param of the slot it was for, or the host where it was for none. @returns when it ended, which is now */
  phaseEnded(
    phase: TimedPhase,
    of: Slot | PoolHost,
    startedAtMs: number,
    failure?: { readonly error: unknown },
  ): number;
  /** A machine is of no use any more: evicts it, or takes it from its holder. */
  machineLost(slot: Slot, error: unknown): void;
  /** A machine may be of no use: while it is ready it must prove itself before it is lent. */
  doubted(slot: Slot): void;
  readonly clocks: GuestClocks;
  /** A host is gone, and every machine on it. @param epoch of the host in which what tells so had begun */
  hostLost(host: PoolHost, error: unknown, epoch: number): void;
  /** Sends a slot's machine away. */
  destroy(slot: Slot): void;
}
