/** How many slots are in each state. */
export interface SlotCounts {
  readonly creating: number;
  readonly settling: number;
  readonly ready: number;
  readonly leased: number;
  readonly resetting: number;
  readonly destroying: number;
  readonly quarantined: number;
}

/** The same, for those who count. */
export type WritableSlotCounts = { -readonly [State in keyof SlotCounts]: number };

/** What supply is measured against. */
export interface Demand {
  /** Callers in line. */
  readonly waiting: number;
  /** Spare ready machines wanted. */
  readonly minReady: number;
  /** Footprints allowed on all hosts together. */
  readonly max: number;
}

/** What a pool wants at present. */
export class PoolDemand implements Demand {
  minReady: number;
  max: number;
  readonly #line: { readonly length: number };

  constructor(minReady: number, max: number, line: { readonly length: number }) {
    this.minReady = minReady;
    this.max = max;
    this.#line = line;
  }

  get waiting(): number {
    return this.#line.length;
  }
}

/** A count of 0 for each state. */
export function makeCounts(): WritableSlotCounts {
  return { creating: 0, settling: 0, ready: 0, leased: 0, resetting: 0, destroying: 0, quarantined: 0 };
}

/** The counts without those of another: of what can be reached, without what is on hosts that cannot. */
export function subtractCounts(counts: SlotCounts, others: SlotCounts): SlotCounts {
  const left = makeCounts();
  for (const state of Object.keys(left) as (keyof SlotCounts)[]) left[state] = counts[state] - others[state];
  return left;
}

/** Every footprint, dying ones and those given up included. */
export function countTotal(counts: SlotCounts): number {
  return (
    counts.creating +
    counts.settling +
    counts.ready +
    counts.leased +
    counts.resetting +
    counts.destroying +
    counts.quarantined
  );
}

/** Slots that are lent, or can be lent now or after what is under way with them. */
export function countSupply(counts: SlotCounts): number {
  return counts.creating + counts.settling + counts.ready + counts.leased + counts.resetting;
}

/** How many usable slots there should be: those lent, those waited for, and the spares. */
export function targetOf(counts: SlotCounts, demand: Demand): number {
  return Math.min(demand.max, counts.leased + demand.waiting + demand.minReady);
}

/**
 * How many creations should be started now.
 * @param aged ready slots past their age: still lent, but no longer counted on
 */
export function creationsWanted(counts: SlotCounts, demand: Demand, aged: number): number {
  const lacking = targetOf(counts, demand) - (countSupply(counts) - aged);
  const room = demand.max - countTotal(counts);
  return Math.max(0, Math.min(lacking, room));
}

/** How many slots beyond `max` are not on their way out yet. */
export function excessOver(counts: SlotCounts, max: number): number {
  return Math.max(0, countSupply(counts) + counts.quarantined - max);
}

/** How many ready slots are more than what is wanted; what is only on its way to ready never stands in for a spare. */
export function surplusOf(counts: SlotCounts, demand: Demand): number {
  return Math.max(0, Math.min(counts.ready - demand.minReady, countSupply(counts) - targetOf(counts, demand)));
}
