import { significant } from './result/figure.ts';
import type { SuiteResult } from './result/suite-result.ts';
import type { Outcome, Verdict } from './result/verdict.ts';
import { isFor, type Target } from './targets.ts';

/** Every target of the suites that ran, beside what they measured. */
export function judge(targets: readonly Target[], results: readonly SuiteResult[]): readonly Verdict[] {
  return results.flatMap((result) =>
    targets
      .filter((target) => target.suite === result.suite && isFor(target, result.driver))
      .map((target) => verdictOf(target, result)),
  );
}

function verdictOf(target: Target, result: SuiteResult): Verdict {
  const { drivers: _, ...facts } = target;
  const { statistic, floor, figure: name } = target;
  const figure = result.figures[name];
  const measured = (statistic === 'ratio' ? result.ratios[name]?.value : figure?.[statistic]) ?? null;
  return {
    ...facts,
    driver: result.driver,
    measured,
    samples: figure?.samples.length ?? null,
    timesFloor: floor === null || measured === null ? null : timesAsGood(target, measured, floor),
    outcome: measured === null ? 'not-measured' : outcomeOf(target, measured),
  };
}

/** A floor or a measurement of nothing at all, such as no leaked object, is met or is not. */
function timesAsGood({ better }: Target, measured: number, floor: number): number | null {
  const [above, below] = better === 'lower' ? [floor, measured] : [measured, floor];
  return below === 0 ? null : significant(above / below);
}

function outcomeOf({ better, floor, goal, statedBound }: Target, measured: number): Outcome {
  const reaches = (bound: number): boolean => (better === 'lower' ? measured <= bound : measured >= bound);
  if (floor !== null && !reaches(floor)) return 'floor-missed';
  if (goal !== null && reaches(goal)) return 'goal-met';
  if (floor !== null) return 'floor-met';
  if (statedBound === null) return 'recorded';
  return reaches(statedBound) ? 'as-stated' : 'stated-missed';
}
