import type { Better, Unit } from './figure.ts';

/** Statistic of a figure, or the value of a ratio. */
export const STATISTICS = ['p50', 'p95', 'p99', 'max', 'ratio'] as const;
export type Statistic = (typeof STATISTICS)[number];

/**
 * `recorded`: nothing was stated or demanded. `not-measured`: the suite ran and has no such figure. The others say the best or,
 * with a floor that is missed, the worst that is true.
 */
export const OUTCOMES = [
  'goal-met',
  'floor-met',
  'floor-missed',
  'as-stated',
  'stated-missed',
  'recorded',
  'not-measured',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A target beside what was measured. */
export interface Verdict {
  /** Id of the target, such as `reset-running`. */
  readonly id: string;
  readonly suite: string;
  readonly driver: string;
  /** Name of the figure, or of the ratio where the statistic is `ratio`. */
  readonly figure: string;
  readonly what: string;
  readonly statistic: Statistic;
  readonly unit: Unit | 'ratio';
  readonly better: Better;
  /** In words; null where nothing was stated. */
  readonly stated: string | null;
  readonly statedBound: number | null;
  readonly floor: number | null;
  readonly goal: number | null;
  readonly measured: number | null;
  readonly samples: number | null;
  /** How many times as good as the floor: 2 is twice as fast (or twice as many), below 1 is missed. */
  readonly timesFloor: number | null;
  readonly outcome: Outcome;
}
