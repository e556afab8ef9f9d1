import type { BenchResult } from '../../result/bench-result.ts';
import type { Comparison, FigureComparison } from '../../result/comparison.ts';
import type { SuiteResult } from '../../result/suite-result.ts';
import type { Verdict } from '../../result/verdict.ts';
import { headline, urgentFirst } from '../headline.ts';
import { originText } from '../origin-text.ts';
import { CALL_WORDS, OUTCOME_WORDS } from '../outcome-words.ts';
import { change, moment, plain, quantity } from '../quantity.ts';
import { folded, htmlText, table, text } from './escape.ts';

/** A comment on GitHub takes 65,536 characters; the rest is for whoever puts something around the summary. */
const MOST_BYTES = 60_000;

/**
 * A result for the page of a CI job or a comment: the verdict first, details folded. Never more than 60,000 bytes: what does not
 * fit is left out from the end, and named.
 */
export function renderMarkdown(result: BenchResult): string {
  const required = [title(result), verdictTable(result.verdicts)];
  const optional: readonly (readonly [name: string, part: string])[] = [
    ['the comparison', comparisonPart(result.comparison)],
    ['what is unchanged', unchangedPart(result.comparison)],
    ['the environment', environmentPart(result)],
    ...result.suites.map((suite) => [text(`${suite.suite} (${suite.driver})`), figuresPart(suite)] as const),
  ];
  return fit(required, optional);
}

function fit(required: readonly string[], optional: readonly (readonly [name: string, part: string])[]): string {
  const parts = required.filter((part) => part !== '');
  const leftOut: string[] = [];
  const size = (all: readonly string[]): number => Buffer.byteLength(all.join('\n\n'));
  for (const [name, part] of optional) {
    if (part === '') continue;
    if (size([...parts, part]) <= MOST_BYTES - 1_000) parts.push(part);
    else leftOut.push(name);
  }
  const whole = parts.join('\n\n');
  const note = leftOut.length === 0 ? '' : `\n\nNot shown for want of room: ${leftOut.join(', ')}.`;
  return cut(`${cut(whole, MOST_BYTES - 1_000)}${note}`, MOST_BYTES - 1);
}

/** Whole lines only: half a table row would break the page. */
function cut(whole: string, mostBytes: number): string {
  if (Buffer.byteLength(whole) <= mostBytes) return `${whole.trimEnd()}\n`;
  const lines: string[] = [];
  let size = 100;
  for (const line of whole.split('\n')) {
    size += Buffer.byteLength(line) + 1;
    if (size > mostBytes) break;
    lines.push(line);
  }
  return `${lines.join('\n')}\n\nThe rest did not fit.\n`;
}

function title(result: BenchResult): string {
  const { tone, sentence, details, scene } = headline(result);
  const mark = { good: '✅', bad: '❌', plain: 'ℹ️' }[tone];
  const lines = [`## ${mark} ${text(sentence)}`];
  if (details.length > 0) lines.push(`${text(details.join('. '))}.`);
  if (!result.gate.passed) lines.push(result.gate.reasons.map((reason) => `- ${text(reason)}`).join('\n'));
  lines.push(`<sub>${text(scene.join(' · '))}</sub>`);
  return lines.join('\n\n');
}

function verdictTable(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '';
  const columns = ['', 'what', 'stated', 'floor>', 'goal>', 'measured>', 'times the floor>'];
  return table(columns, urgentFirst(verdicts).map(verdictRow));
}

function verdictRow(verdict: Verdict): readonly string[] {
  const { unit, outcome, statistic, measured, timesFloor } = verdict;
  const { mark, word, tone } = OUTCOME_WORDS[outcome];
  const bound = (value: number | null): string =>
    value === null ? '' : `${verdict.better === 'lower' ? '≤' : '≥'} ${quantity(value, unit)}`;
  const times = timesFloor === null ? '' : `${plain(timesFloor)}×`;
  return [
    tone === 'bad' ? `❌ **${word}**` : `${mark} ${word}`,
    `${text(verdict.what)} <sub>${text(verdict.id)}, ${text(verdict.driver)}</sub>`,
    text(verdict.stated ?? ''),
    bound(verdict.floor),
    bound(verdict.goal),
    measured === null ? '' : `${statistic === 'ratio' ? '' : `${statistic} `}**${quantity(measured, unit)}**`,
    tone === 'bad' ? `**${times}**` : times,
  ];
}

function comparisonPart(comparison: Comparison | null): string {
  if (comparison === null) return '';
  const { base, current, interleaved, differences, figures } = comparison;
  const called = figures.filter(({ call }) => call !== 'unchanged').toSorted((left, right) => rank(left) - rank(right));
  const origin = ({ label, commit, startedAt }: Comparison['base']): string =>
    `${text(label)}${commit === null ? '' : ` (${text(commit.slice(0, 10))})`}, ${text(moment(startedAt))}`;
  const how = interleaved
    ? 'run in turns on one computer'
    : 'run at different times, so drift of the computer is part of every ratio';
  return [
    '### Compared with the base',
    text(comparison.sentence),
    ...(called.length === 0 ? [] : [comparisonTable(called)]),
    ...differences.map((difference) => `> ⚠️ ${text(difference)}`),
    `<sub>Base ${origin(base)}; now ${origin(current)}; ${how}. A change is called when it is significant and larger than ${plain(comparison.threshold * 100)} %.</sub>`,
  ].join('\n\n');
}

function unchangedPart(comparison: Comparison | null): string {
  const unchanged = comparison?.figures.filter(({ call }) => call === 'unchanged') ?? [];
  if (unchanged.length === 0) return '';
  return folded(
    `${unchanged.length} ${unchanged.length === 1 ? 'figure is' : 'figures are'} unchanged`,
    comparisonTable(unchanged),
  );
}

function comparisonTable(figures: readonly FigureComparison[]): string {
  const columns = ['', 'figure', 'base>', 'now>', 'change>', 'ratio, with confidence>'];
  return table(
    columns,
    figures.map(({ call, figure, suite, driver, unit, base, current, ratio, low, high }) => [
      `${CALL_WORDS[call].mark} ${call === 'worse' ? '**worse**' : call}`,
      `${text(figure)} <sub>${text(suite)}, ${text(driver)}</sub>`,
      quantity(base.p50, unit),
      quantity(current.p50, unit),
      `**${change(ratio)}**`,
      `${plain(ratio)} (${plain(low)} – ${plain(high)})`,
    ]),
  );
}

function rank({ call }: FigureComparison): number {
  return ['worse', 'better', 'undecided'].indexOf(call);
}

function figuresPart({ suite, driver, figures, ratios }: SuiteResult): string {
  const rows = Object.entries(figures).map(([name, { unit, samples, p50, p95, p99, max }]) => [
    text(name),
    ...[p50, p95, p99, max].map((value) => quantity(value, unit)),
    samples.length.toLocaleString('en-US'),
  ]);
  const ratioRows = Object.entries(ratios).map(([name, { value, low, high }]) => [
    text(name),
    plain(value),
    low === null || high === null ? '' : `${plain(low)} – ${plain(high)}`,
  ]);
  return folded(
    `${htmlText(suite)} (${htmlText(driver)}): ${rows.length} ${rows.length === 1 ? 'figure' : 'figures'}`,
    [
      ...(rows.length === 0 ? [] : [table(['figure', 'p50>', 'p95>', 'p99>', 'max>', 'samples>'], rows)]),
      ...(ratioRows.length === 0 ? [] : [table(['ratio in this run', 'value>', '95 % confidence>'], ratioRows)]),
    ].join('\n\n'),
  );
}

function environmentPart(result: BenchResult): string {
  const { suites, durationMs } = result;
  if (suites.length === 0) return '';
  const rows = suites.map(({ suite, driver, environment }) => [
    `${text(suite)} (${text(driver)})`,
    text(environment.hypervisor),
    text(`${environment.acceleration}: ${environment.accelerationReason}`),
    text(`${environment.cpuCount} × ${environment.cpuModel}, kernel ${environment.kernel}, Node ${environment.node}`),
    `${environment.loadAverage.atStart[0]} → ${environment.loadAverage.atEnd[0]}`,
  ]);
  const caveats = suites.flatMap(({ suite, caveats: own }) => own.map((caveat) => `- ${text(suite)}: ${text(caveat)}`));
  return folded(
    'Environment and caveats',
    [
      table(['suite', 'hypervisor', 'acceleration', 'computer', 'load>'], rows),
      ...(caveats.length === 0 ? [] : [caveats.join('\n')]),
      `Took ${quantity(durationMs, 'ms')}${text(originText(result))}. Times depend on the computer; ratios inside one run hold on any.`,
    ].join('\n\n'),
  );
}
