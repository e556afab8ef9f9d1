import { type Ladder, STAGES, type Stage } from '../result/ladder.ts';
import { percentile } from '../statistics/percentile.ts';

/** A ladder as it is drawn: the median of each stage, and of the whole. */
export interface LadderPath {
  readonly name: string;
  readonly stages: readonly { readonly stage: Stage; readonly medianMs: number }[];
  /** Of the medians of the stages; not the median of the whole. */
  readonly sumMs: number;
  /** Median over machines of what all stages took. */
  readonly wholeMs: number;
  readonly samples: number;
}

/** The ladders that have samples. */
export function ladderPaths(ladders: Readonly<Record<string, Ladder>>): readonly LadderPath[] {
  return Object.entries(ladders).flatMap(([name, ladder]) => {
    const stages = STAGES.flatMap((stage) => {
      const values = ladder[stage];
      return values === undefined || values.length === 0 ? [] : [{ stage, medianMs: percentile(values, 0.5), values }];
    });
    if (stages.length === 0) return [];
    const turns = stages[0]!.values;
    const wholes = turns.map((_, index) => stages.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
    const sumMs = stages.reduce((sum, { medianMs }) => sum + medianMs, 0);
    return [{ name, stages, samples: turns.length, sumMs, wholeMs: percentile(wholes, 0.5) }];
  });
}
