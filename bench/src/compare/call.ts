import { change, quantity } from '../report/quantity.ts';
import type { Call, FigureComparison } from '../result/comparison.ts';

type Measured = Omit<FigureComparison, 'call' | 'sentence'>;

/** What a change must be to be called. */
export interface CallRules {
  readonly threshold: number;
  /** Largest adjusted probability that counts as significant. */
  readonly alpha: number;
  /** Ratio of the samples that nothing has disturbed: it must be beyond the threshold too. */
  readonly bestRatio: number;
  /** Whether both sides have enough samples for an interval: few that look alike prove nothing. */
  readonly hasInterval: boolean;
}

/** Whether a change is called, and in words. */
export function callFigure(figure: Measured, rules: CallRules): Pick<FigureComparison, 'call' | 'sentence'> {
  const call = callOf(figure, rules);
  return { call, sentence: sentenceOf(figure, call, rules.threshold) };
}

function callOf(
  { ratio, low, high, adjustedP, better }: Measured,
  { threshold, alpha, bestRatio, hasInterval }: CallRules,
): Call {
  const [least, most] = [1 / (1 + threshold), 1 + threshold];
  const isSignificant = adjustedP < alpha && (low > 1 || high < 1);
  const isLarge = Math.min(ratio, bestRatio) > most || Math.max(ratio, bestRatio) < least;
  if (isSignificant && isLarge) return ratio > 1 === (better === 'higher') ? 'better' : 'worse';
  return hasInterval && low >= least && high <= most ? 'unchanged' : 'undecided';
}

function sentenceOf(figure: Measured, call: Call, threshold: number): string {
  const { suite, driver, figure: name, base, current, unit, ratio, low, high, adjustedP } = figure;
  const values = `${quantity(base.p50, unit)} before, ${quantity(current.p50, unit)} now`;
  const range = `${change(low)} to ${change(high)}`;
  const measured = `${values} (${change(ratio)}; ${range}; p ${probability(adjustedP)})`;
  const subject = `'${name}' of ${suite} on ${driver}`;
  if (call === 'better' || call === 'worse') return `${subject} is ${call}: ${measured}.`;
  const limit = `${threshold * 100} %`;
  return call === 'unchanged'
    ? `${subject} has not changed by more than ${limit}: ${measured}.`
    : `${subject}: no change is proved, nor one of more than ${limit} ruled out: ${measured}.`;
}

/** The whole comparison in one sentence. */
export function summarySentence(call: Call, figures: readonly FigureComparison[]): string {
  const count = (wanted: Call): number => figures.filter((figure) => figure.call === wanted).length;
  const parts = (['worse', 'better', 'unchanged', 'undecided'] as const)
    .map((wanted) => [count(wanted), wanted] as const)
    .filter(([number]) => number > 0)
    .map(([number, wanted]) => `${number} ${wanted}`);
  const verdict: Record<Call, string> = {
    worse: 'Something got worse',
    better: 'Something got better and nothing worse',
    unchanged: 'Nothing changed',
    undecided: 'No change is proved',
  };
  return `${verdict[call]}: of ${figures.length} figures, ${parts.join(', ')}.`;
}

function probability(p: number): string {
  return p < 0.001 ? '< 0.001' : String(Number(p.toPrecision(2)));
}
