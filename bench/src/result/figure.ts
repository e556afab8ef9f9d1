import { percentile } from '../statistics/percentile.ts';

/** What samples are counted in. */
export const UNITS = ['ms', 'calls/s', 'machines/min', 'bytes', 'count'] as const;
export type Unit = (typeof UNITS)[number];

/** Which direction is an improvement. */
export type Better = 'lower' | 'higher';

/** One measured figure with every sample, in the order in which they were taken. */
export interface Figure {
  readonly unit: Unit;
  readonly better: Better;
  /** Figures of one group took turns and belong into one picture; null for a figure that stands alone. */
  readonly group: string | null;
  readonly samples: readonly number[];
  /** How many of the samples, in their order, came from each process that took some. */
  readonly blocks: readonly number[];
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What is known of a figure beside its samples. */
export type FigureFacts = Pick<Figure, 'unit' | 'better' | 'group'>;

/** Percentiles are nearest ranks: each is one of the samples. @throws RangeError without samples */
export function summarize(
  values: readonly number[],
  facts: FigureFacts,
  blocks: readonly number[] = [values.length],
): Figure {
  const samples = values.map(significant);
  const at = (share: number): number => percentile(samples, share);
  return { ...facts, samples, blocks, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Clocks here resolve far less than five digits of anything. */
export function significant(value: number): number {
  return Number(value.toPrecision(5));
}
