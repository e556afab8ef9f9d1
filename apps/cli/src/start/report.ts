import type { Environment } from '@warmvm/local-host';
import Table from 'cli-table3';
import type { MeasuredFigure } from './figures.ts';
import type { StageReport } from './samples.ts';

/** What was proved, and not only timed. */
export interface Proofs {
  /** Every marker that a tenant wrote to memory and disk was gone after the reset. */
  readonly markerAbsentAfterReset: boolean;
  /** Every machine that was killed from outside was noticed, and never lent. */
  readonly killedMachineEvicted: boolean;
  /** Objects of ours on the host after the end. */
  readonly leftBehind: number;
}

/** The main job as data: what `--json` writes. */
export interface StartReport {
  readonly schema: 1;
  readonly driver: string;
  readonly acceleration: string;
  readonly environment: Environment;
  readonly pool: { readonly minReady: number; readonly max: number };
  readonly stages: Readonly<Record<string, StageReport>>;
  readonly figures: readonly MeasuredFigure[];
  /** Figures of one run against each other: what holds on any computer. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly proofs: Proofs;
  readonly leftBehind: readonly string[];
}

/** The closing table, for people. */
export function reportTable(figures: readonly MeasuredFigure[]): string {
  const table = new Table({
    head: ['figure', 'what', 'stated', 'measured', 'samples', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'left', 'right', 'right', 'left'],
  });
  for (const { id, what, stated, statistic, measuredMs, samples, met } of figures) {
    const measured = samples === 1 ? duration(measuredMs) : `${statistic} ${duration(measuredMs)}`;
    table.push([id, what, stated, measured, samples, met === null ? '' : met ? 'met' : 'missed']);
  }
  return table.toString();
}

/** A duration as people read it: three significant digits, the unit that fits. */
export function duration(durationMs: number): string {
  if (durationMs >= 1_000_000) return `${Math.round(durationMs / 1000)} s`;
  if (durationMs >= 1000) return `${(durationMs / 1000).toPrecision(3)} s`;
  if (durationMs >= 1) return `${Number(durationMs.toPrecision(3))} ms`;
  return `${Number((durationMs * 1000).toPrecision(3))} µs`;
}
