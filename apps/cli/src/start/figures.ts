import type { StageReport } from './samples.ts';

/** One row of the table of figures: what the project states, and which statistic is compared with it. */
export interface StatedFigure {
  readonly id: string;
  readonly what: string;
  /** Upper bound in milliseconds, or null where nothing was ever stated. */
  readonly statedMs: number | null;
  readonly stated: string;
  readonly statistic: 'p50' | 'p99';
}

/** Figures that the main job measures, in the order it shows them. */
export const STATED_FIGURES: readonly StatedFigure[] = [
  {
    id: 'cold-boot',
    what: 'one machine booted the old way, until its agent answers',
    statedMs: null,
    stated: '-',
    statistic: 'p50',
  },
  {
    id: 'init-cold',
    what: 'first start of all: golden snapshot made, then a pool of 3 filled',
    statedMs: null,
    stated: '-',
    statistic: 'p50',
  },
  {
    id: 'init',
    what: 'a pool of 5 filled from a golden snapshot, every guest proved',
    statedMs: 2000,
    stated: '10 s -> 2 s',
    statistic: 'p50',
  },
  { id: 'boot', what: 'one fork, until its first command has run', statedMs: 2000, stated: '< 2 s', statistic: 'p50' },
  { id: 'acquire', what: 'a lease from a warm pool', statedMs: 100, stated: '< 100 ms', statistic: 'p99' },
  {
    id: 'acquire-5',
    what: 'five leases at once from five ready machines',
    statedMs: 200,
    stated: '< 200 ms',
    statistic: 'p50',
  },
  { id: 'exec', what: 'a command in the guest', statedMs: null, stated: '-', statistic: 'p50' },
  {
    id: 'reset',
    what: 'release of a dirty machine, until it is ready again',
    statedMs: 1000,
    stated: '< 1 s',
    statistic: 'p50',
  },
  {
    id: 'detect',
    what: 'a killed machine known and out of the pool',
    statedMs: 300,
    stated: '50-300 ms',
    statistic: 'p99',
  },
  {
    id: 'cycle',
    what: 'acquire, command, dirty, release, reset',
    statedMs: 3000,
    stated: '20 a minute',
    statistic: 'p50',
  },
];

/** A stated figure beside what was measured. */
export interface MeasuredFigure extends StatedFigure {
  readonly measuredMs: number;
  readonly samples: number;
  /** Null where nothing is stated. */
  readonly met: boolean | null;
}

/** The rows for which there are samples. Simulated machines meet nothing: then only the times are shown. */
export function compareFigures(
  stages: Readonly<Record<string, StageReport>>,
  realMachines: boolean,
): readonly MeasuredFigure[] {
  return STATED_FIGURES.flatMap((figure) => {
    const stage = stages[figure.id];
    if (stage === undefined) return [];
    const measuredMs = stage[figure.statistic];
    const met = figure.statedMs === null || !realMachines ? null : measuredMs <= figure.statedMs;
    return [{ ...figure, measuredMs, samples: stage.samplesMs.length, met }];
  });
}
