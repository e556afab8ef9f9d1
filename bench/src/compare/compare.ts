import type { BenchResult } from '../result/bench-result.ts';
import type { Call, Comparison, FigureComparison } from '../result/comparison.ts';
import { type Figure, significant } from '../result/figure.ts';
import { FEWEST, type Interval, ratioInterval } from '../statistics/bootstrap.ts';
import { holm } from '../statistics/holm.ts';
import { mannWhitney } from '../statistics/mann-whitney.ts';
import { percentile } from '../statistics/percentile.ts';
import { callFigure, summarySentence } from './call.ts';
import { hostDifferences } from './host-differences.ts';

/** How two results are compared. */
export interface CompareOptions {
  /** What to call them: files, or git refs. */
  readonly baseLabel: string;
  readonly currentLabel: string;
  /** Compare although the hosts differ. @default false */
  readonly acrossHosts?: boolean;
  /** Both were run in turns on one host. @default false */
  readonly interleaved?: boolean;
}

/** Smallest relative change that is called. */
const THRESHOLD = 0.1;
/** Of intervals; higher than usual, since a comparison has dozens of them. */
const CONFIDENCE = 0.99;
/** Samples that nothing has disturbed. */
const BEST_SHARE = 0.1;
/** Largest adjusted probability that counts as significant. */
const ALPHA = 0.05;

interface Pair {
  readonly suite: string;
  readonly driver: string;
  readonly name: string;
  readonly base: Figure;
  readonly current: Figure;
}

/**
 * Compares figure by figure, in the order of `current`. A count is not compared: it is held against its floor.
 * @throws TypeError when the hosts differ and that was not allowed, or nothing is in both
 */
export function compareResults(base: BenchResult, current: BenchResult, options: CompareOptions): Comparison {
  const { baseLabel, currentLabel, acrossHosts = false, interleaved = false } = options;
  const differences = hostDifferences(base, current);
  if (differences.length > 0 && !acrossHosts) {
    throw new TypeError(
      `${baseLabel} and ${currentLabel} come from different hosts, so their ratios would say more about those than about the code:\n` +
        `${differences.map((sentence) => `  ${sentence}`).join('\n')}\nTo compare them all the same, add --across-hosts.`,
    );
  }
  const pairs = pairsOf(base, current);
  if (pairs.length === 0) throw new TypeError(`${baseLabel} and ${currentLabel} have no figure in common`);
  const measured = pairs.map(measure);
  const adjusted = holm(measured.map(({ p }) => p));
  const figures = measured.map((part, index): FigureComparison => {
    const figure = { ...part, adjustedP: adjusted[index]! };
    const bestRatio = undisturbedRatio(pairs[index]!);
    const hasInterval = Math.min(part.base.samples, part.current.samples) >= FEWEST;
    return { ...figure, ...callFigure(figure, { threshold: THRESHOLD, alpha: ALPHA, bestRatio, hasInterval }) };
  });
  const call = overall(figures);
  const [inBase, inCurrent] = [base, current].map(figureNames);
  return {
    base: { label: baseLabel, commit: base.commit, startedAt: base.startedAt },
    current: { label: currentLabel, commit: current.commit, startedAt: current.startedAt },
    threshold: THRESHOLD,
    confidence: CONFIDENCE,
    interleaved,
    differences,
    figures,
    onlyInBase: inBase!.filter((name) => !inCurrent!.includes(name)),
    onlyInCurrent: inCurrent!.filter((name) => !inBase!.includes(name)),
    call,
    sentence: summarySentence(call, figures),
  };
}

function pairsOf(base: BenchResult, current: BenchResult): readonly Pair[] {
  return current.suites.flatMap(({ suite, driver, figures }) => {
    const other = base.suites.find((candidate) => candidate.suite === suite && candidate.driver === driver);
    return Object.entries(figures).flatMap(([name, figure]) => {
      const before = other?.figures[name];
      const isComparable = before?.unit === figure.unit && figure.unit !== 'count' && before.p50 > 0 && figure.p50 > 0;
      return isComparable ? [{ suite, driver, name, base: before, current: figure }] : [];
    });
  });
}

function measure({
  suite,
  driver,
  name,
  base,
  current,
}: Pair): Omit<FigureComparison, 'adjustedP' | 'call' | 'sentence'> {
  const ratio = current.p50 / base.p50;
  const { low, high } = ratioInterval(current, base, CONFIDENCE) ?? widest(base.samples, current.samples);
  return {
    suite,
    driver,
    figure: name,
    unit: current.unit,
    better: current.better,
    base: { samples: base.samples.length, p50: base.p50 },
    current: { samples: current.samples.length, p50: current.p50 },
    ratio: significant(ratio),
    low: significant(low),
    high: significant(high),
    p: mannWhitney(base.samples, current.samples),
  };
}

/**
 * The ratio of the best tenths of samples. A computer that is busier makes many samples worse and leaves the best ones as they are;
 * code that is slower makes them all worse.
 */
function undisturbedRatio({ base, current }: Pair): number {
  const share = current.better === 'lower' ? BEST_SHARE : 1 - BEST_SHARE;
  return percentile(current.samples, share) / percentile(base.samples, share);
}

/** Too few samples for a bootstrap: any pair of them may be the one that is true. */
function widest(base: readonly number[], current: readonly number[]): Interval {
  return {
    low: Math.min(...current) / Math.max(...base),
    high: Math.max(...current) / Math.min(...base),
  };
}

function overall(figures: readonly FigureComparison[]): Call {
  const calls = new Set(figures.map(({ call }) => call));
  if (calls.has('worse')) return 'worse';
  if (calls.has('better')) return 'better';
  return calls.has('undecided') ? 'undecided' : 'unchanged';
}

function figureNames({ suites }: BenchResult): readonly string[] {
  return suites.flatMap(({ suite, driver, figures }) =>
    Object.keys(figures).map((name) => `${suite} ${driver} ${name}`),
  );
}
