import type { BenchResult } from '../../result/bench-result.ts';
import type { Comparison, FigureComparison } from '../../result/comparison.ts';
import type { Verdict } from '../../result/verdict.ts';
import { headline, urgentFirst } from '../headline.ts';
import { CALL_WORDS, OUTCOME_WORDS, type Wording } from '../outcome-words.ts';
import { change, plain, quantity } from '../quantity.ts';
import { clean, type TerminalStyle } from './style.ts';
import { type Column, tableText } from './table.ts';

/** The verdicts, the comparison, and last of all what matters most: one sentence. */
export function closingText(result: BenchResult, style: TerminalStyle): string {
  const { sentence, details, tone } = headline(result);
  const last = [
    style.tone(tone, `${clean(sentence)}.`),
    ...(details.length === 0 ? [] : [` ${clean(details.join('. '))}.`]),
    ...result.gate.reasons.map((reason) => `\n  ${style.tone('bad', '✗')} ${clean(reason)}`),
  ].join('');
  const parts = [verdictTable(result.verdicts, style), comparisonText(result.comparison, style), last];
  return parts.filter((part) => part !== '').join('\n\n');
}

function verdictTable(verdicts: readonly Verdict[], style: TerminalStyle): string {
  if (verdicts.length === 0) return '';
  const columns: readonly Column[] = [
    { name: 'verdict' },
    { name: 'id' },
    { name: 'what', dispensable: 4 },
    { name: 'driver', dispensable: 3 },
    { name: 'stated', dispensable: 2 },
    { name: 'floor', align: 'right' },
    { name: 'goal', align: 'right', dispensable: 1 },
    { name: 'measured', align: 'right' },
    { name: 'to floor', align: 'right' },
  ];
  return tableText(
    columns,
    urgentFirst(verdicts).map((verdict) => verdictRow(verdict, style)),
    style,
  );
}

function verdictRow(verdict: Verdict, style: TerminalStyle): readonly string[] {
  const { unit, better, statistic, measured, samples, timesFloor, outcome } = verdict;
  const bound = (value: number | null): string =>
    value === null ? '' : `${better === 'lower' ? '≤' : '≥'} ${quantity(value, unit)}`;
  const taken = statistic === 'ratio' ? '' : `${statistic} of ${samples ?? 0}  `;
  return [
    words(OUTCOME_WORDS[outcome], style),
    clean(verdict.id),
    style.faint(clean(verdict.what)),
    style.faint(clean(verdict.driver)),
    clean(verdict.stated ?? ''),
    bound(verdict.floor),
    bound(verdict.goal),
    measured === null ? '' : `${style.faint(taken)}${style.strong(quantity(measured, unit))}`,
    timesFloor === null ? '' : style.tone(timesFloor >= 1 ? 'good' : 'bad', `${plain(timesFloor)}×`),
  ];
}

function comparisonText(comparison: Comparison | null, style: TerminalStyle): string {
  if (comparison === null) return '';
  const order = ['worse', 'better', 'undecided', 'unchanged'];
  const figures = comparison.figures.toSorted((left, right) => order.indexOf(left.call) - order.indexOf(right.call));
  const columns: readonly Column[] = [
    { name: 'compared' },
    { name: 'figure' },
    { name: 'suite, driver', dispensable: 2 },
    { name: 'base', align: 'right' },
    { name: 'now', align: 'right' },
    { name: 'change', align: 'right' },
    { name: 'ratio, with confidence', align: 'right', dispensable: 1 },
  ];
  const rows = figures.map((figure) => comparisonRow(figure, style));
  const notes = [...comparison.differences, comparison.sentence].map((sentence) => `  ${clean(sentence)}`);
  return [...(rows.length === 0 ? [] : [tableText(columns, rows, style)]), ...notes].join('\n');
}

function comparisonRow(figure: FigureComparison, style: TerminalStyle): readonly string[] {
  const { unit, base, current, ratio, low, high } = figure;
  return [
    words(CALL_WORDS[figure.call], style),
    clean(figure.figure),
    style.faint(`${clean(figure.suite)}, ${clean(figure.driver)}`),
    quantity(base.p50, unit),
    quantity(current.p50, unit),
    style.strong(change(ratio)),
    `${plain(ratio)} (${plain(low)} – ${plain(high)})`,
  ];
}

/** What is bad is loud where colours are not to be had. */
function words({ mark, word, tone }: Wording, style: TerminalStyle): string {
  return style.tone(tone, `${mark} ${tone === 'bad' ? word.toUpperCase() : word}`);
}
