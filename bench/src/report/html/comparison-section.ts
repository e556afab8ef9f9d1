import type { ComponentChild, VNode } from 'preact';
import type { Call, Comparison, FigureComparison } from '../../result/comparison.ts';
import { type Axis, ratioAxis } from '../chart/axis.ts';
import { CALL_WORDS } from '../outcome-words.ts';
import { change, moment, quantity } from '../quantity.ts';
import { h } from './element.ts';
import { badge, section, table } from './parts.ts';
import { between, ends, type Interval, interval } from './ratios.ts';
import { axisLabels, percent } from './svg.ts';

const ORDER: readonly Call[] = ['worse', 'better', 'undecided', 'unchanged'];

/** Two results, figure by figure, with confidence intervals. */
export function comparisonSection(comparison: Comparison | null): VNode | null {
  if (comparison === null) return null;
  const { base, current, threshold, interleaved, differences } = comparison;
  const rows = comparison.figures.toSorted((left, right) => ORDER.indexOf(left.call) - ORDER.indexOf(right.call));
  const axis = ratioAxis(
    rows.flatMap((row) => ends(intervalOf(row))),
    1 + threshold * 3,
  );
  return section(
    'comparison',
    'Compared with the base',
    h('p', { class: 'lead' }, comparison.sentence),
    h(
      'p',
      { class: 'origins' },
      `Base: ${originOf(base)}. Now: ${originOf(current)}. `,
      interleaved
        ? 'Both were run in turns on one computer.'
        : 'Both were run at different times: drift of the computer is part of every ratio.',
    ),
    differences.length === 0 ? null : h('ul', { class: 'caveats' }, ...differences.map((text) => h('li', null, text))),
    rows.length === 0 ? h('p', null, 'No figure is in both results.') : forest(rows, axis, comparison),
    onlyList('Only in the base', comparison.onlyInBase),
    onlyList('Only in the new result', comparison.onlyInCurrent),
  );
}

function forest(rows: readonly FigureComparison[], axis: Axis, { threshold, confidence }: Comparison): VNode {
  const columns = [
    { name: 'figure', class: 'what' },
    { name: 'call', class: 'verdict' },
    { name: 'base', class: 'number', short: 'base p50' },
    { name: 'now', class: 'number', short: 'now p50' },
    {
      name: [h('span', { class: 'title' }, `now ÷ base, ${confidence * 100} % confidence`), axisLabels(axis)],
      class: 'plot',
    },
    { name: 'change', class: 'number strong', short: 'change' },
    { name: 'between', class: 'number', short: 'between' },
  ];
  return table(
    {
      class: 'comparison',
      caption: `Ratio of medians; the shaded zone is ${threshold * 100} % either way, within which nothing is called`,
      columns,
    },
    rows.map((row) => cells(row, axis, threshold)),
    (index) => `is-${CALL_WORDS[rows[index]!.call].tone}`,
  );
}

function cells(row: FigureComparison, axis: Axis, threshold: number): readonly ComponentChild[] {
  const { tone, word } = CALL_WORDS[row.call];
  const zone = [axis.at(1 / (1 + threshold)), axis.at(1 + threshold)] as const;
  const shade = h('rect', {
    class: 'zone',
    x: percent(zone[0]),
    width: percent(zone[1] - zone[0]),
    y: 0,
    height: '100%',
  });
  const label = `${row.figure}: ${word}, ratio ${between(intervalOf(row))}`;
  return [
    [h('b', null, row.figure), h('small', null, `${row.suite}, ${row.driver} · ${row.better} is better`)],
    badge(CALL_WORDS[row.call]),
    [quantity(row.base.p50, row.unit), h('small', null, `of ${row.base.samples}`)],
    [quantity(row.current.p50, row.unit), h('small', null, `of ${row.current.samples}`)],
    interval(label, intervalOf(row), axis, tone, [shade]),
    change(row.ratio),
    between(intervalOf(row)),
  ];
}

function intervalOf({ ratio, low, high }: FigureComparison): Interval {
  return { value: ratio, low, high };
}

function originOf({ label, commit, startedAt }: Comparison['base']): string {
  return `${label}${commit === null ? '' : ` (${commit.slice(0, 10)})`}, ${moment(startedAt)}`;
}

function onlyList(title: string, names: readonly string[]): VNode | null {
  if (names.length === 0) return null;
  return h(
    'details',
    null,
    h('summary', null, `${title}: ${names.length}`),
    h('ul', null, ...names.map((name) => h('li', null, name))),
  );
}
