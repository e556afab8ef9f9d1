import type { BenchResult } from '../result/bench-result.ts';
import { type Figure, significant, summarize } from '../result/figure.ts';
import type { Ladder, Stage } from '../result/ladder.ts';
import type { Ratio, SuiteResult } from '../result/suite-result.ts';
import { ratioInterval } from '../statistics/bootstrap.ts';

/**
 * Runs of one checkout as one result: each process is a block of its figures. Verdicts are left out: whoever asked judges anew.
 * @throws RangeError without any run
 */
export function mergeRuns(runs: readonly BenchResult[]): BenchResult {
  const [first] = runs;
  if (first === undefined) throw new RangeError('there is no run to merge');
  const suites = first.suites.map((suite) =>
    mergeSuites(
      runs.flatMap((run) => run.suites.filter((other) => other.suite === suite.suite && other.driver === suite.driver)),
    ),
  );
  const durationMs = runs.reduce((sum, run) => sum + run.durationMs, 0);
  return { ...first, durationMs, suites, verdicts: [], comparison: null, gate: { passed: true, reasons: [] } };
}

function mergeSuites(parts: readonly SuiteResult[]): SuiteResult {
  const [first] = parts as readonly [SuiteResult, ...SuiteResult[]];
  const last = parts.at(-1)!;
  const figures = mergeRecords(
    parts.map((part) => part.figures),
    mergeFigures,
  );
  const garbage = {
    count: parts.reduce((sum, { environment }) => sum + environment.garbage.count, 0),
    durationMs: significant(parts.reduce((sum, { environment }) => sum + environment.garbage.durationMs, 0)),
  };
  const loadAverage = { ...first.environment.loadAverage, atEnd: last.environment.loadAverage.atEnd };
  return {
    ...first,
    environment: { ...first.environment, loadAverage, garbage },
    durationMs: parts.reduce((sum, part) => sum + part.durationMs, 0),
    figures,
    ladders: mergeRecords(
      parts.map((part) => part.ladders),
      mergeLadders,
    ),
    ratios: mergeRecords(
      parts.map((part) => part.ratios),
      (ratios) => mergeRatios(ratios, figures),
    ),
    facts: Object.assign({}, ...parts.map((part) => part.facts)),
    caveats: [...new Set(parts.flatMap((part) => part.caveats))],
  };
}

function mergeRecords<Value>(
  records: readonly Readonly<Record<string, Value>>[],
  merge: (values: readonly Value[]) => Value,
): Readonly<Record<string, Value>> {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries(
    [...names].map((name) => [name, merge(records.flatMap((record) => (name in record ? [record[name]!] : [])))]),
  );
}

function mergeFigures(figures: readonly Figure[]): Figure {
  const { unit, better, group } = figures[0]!;
  const samples = figures.flatMap((figure) => figure.samples);
  return summarize(
    samples,
    { unit, better, group },
    figures.flatMap((figure) => figure.blocks),
  );
}

/** Stages that every process has: others could not be put beside each other. */
function mergeLadders(ladders: readonly Ladder[]): Ladder {
  const stages = (Object.keys(ladders[0]!) as Stage[]).filter((stage) => ladders.every((ladder) => stage in ladder));
  return Object.fromEntries(stages.map((stage) => [stage, ladders.flatMap((ladder) => ladder[stage]!)]));
}

/** Medians of all processes divide anew; of pairs, the median process counts. */
function mergeRatios(ratios: readonly Ratio[], figures: Readonly<Record<string, Figure>>): Ratio {
  const [first] = ratios as readonly [Ratio, ...Ratio[]];
  if (first.method === 'pairs') {
    const byValue = ratios.toSorted((left, right) => left.value - right.value);
    return byValue[Math.floor((byValue.length - 1) / 2)]!;
  }
  const [above, below] = [figures[first.figure]!, figures[first.reference]!];
  const interval = ratioInterval(above, below);
  return {
    ...first,
    value: significant(above.p50 / below.p50),
    low: interval === null ? null : significant(interval.low),
    high: interval === null ? null : significant(interval.high),
  };
}
