import type { Better, Unit } from './figure.ts';

/** Where a result came from. */
export interface Origin {
  /** A file, or a git ref. */
  readonly label: string;
  readonly commit: string | null;
  readonly startedAt: string;
}

/**
 * `better` and `worse` are called only for a change that is significant and larger than the threshold. `unchanged`: any change
 * lies within the threshold. `undecided`: too few or too scattered samples to say either.
 */
export const CALLS = ['better', 'worse', 'unchanged', 'undecided'] as const;
export type Call = (typeof CALLS)[number];

/** One figure in two results. */
export interface FigureComparison {
  readonly suite: string;
  readonly driver: string;
  readonly figure: string;
  readonly unit: Unit;
  readonly better: Better;
  readonly base: { readonly samples: number; readonly p50: number };
  readonly current: { readonly samples: number; readonly p50: number };
  /** Median of `current` to median of `base`, and between which it lies with the comparison's confidence. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Mann-Whitney, two-sided; and the same after allowing for the number of figures (Holm). */
  readonly p: number;
  readonly adjustedP: number;
  readonly call: Call;
  /** One sentence for people. */
  readonly sentence: string;
}

/** Two results, figure by figure. */
export interface Comparison {
  readonly base: Origin;
  readonly current: Origin;
  /** Smallest relative change that is called, such as 0.1. */
  readonly threshold: number;
  /** Such as 0.95. */
  readonly confidence: number;
  /** Whether both were run in turns on one host; otherwise drift of the host is part of every ratio. */
  readonly interleaved: boolean;
  /** What differs between the hosts, each a sentence; not empty only when that was allowed. */
  readonly differences: readonly string[];
  readonly figures: readonly FigureComparison[];
  /** Figures of the base, as `suite driver figure`, that the current result lacks, and the other way round. */
  readonly onlyInBase: readonly string[];
  readonly onlyInCurrent: readonly string[];
  readonly call: Call;
  readonly sentence: string;
}
