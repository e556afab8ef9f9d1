import type { ComponentChild, VNode } from 'preact';
import type { BenchResult } from '../../result/bench-result.ts';
import type { SuiteResult } from '../../result/suite-result.ts';
import { axisOf } from '../chart/axis.ts';
import { type FigureGroup, figureGroups, type NamedFigure, nameInGroup } from '../figure-groups.ts';
import { quantity } from '../quantity.ts';
import { type Bound, boundsOf, curve, strip } from './distribution.ts';
import { h } from './element.ts';
import { ladderPlot } from './ladder.ts';
import { factList, table } from './parts.ts';
import { ratioTable } from './ratios.ts';
import { axisLabels } from './svg.ts';

/** Fewer samples have no curve worth a picture: their dots say it all. */
const CURVE_FROM = 20;

/** One suite on one driver: its ladders, every figure with every sample, ratios, facts. */
export function suiteSection(suite: SuiteResult, index: number, { verdicts }: BenchResult): VNode {
  const mine = verdicts.filter((verdict) => verdict.suite === suite.suite && verdict.driver === suite.driver);
  const figures = Object.entries(suite.figures).map(([name, figure]) => ({ ...figure, name }));
  const bounds = (figure: NamedFigure): readonly Bound[] => boundsOf(figure.name, suite.driver, mine);
  const curves = figures.filter((figure) => figure.samples.length >= CURVE_FROM && bounds(figure).length > 0);
  const { acceleration } = suite.environment;
  const title = `suite-${index}-title`;
  return h(
    'section',
    { class: 'suite', id: suiteAnchor(index), 'aria-labelledby': title },
    h(
      'h2',
      { id: title },
      suite.suite,
      h('span', { class: 'driver' }, `${suite.driver}${acceleration === 'none' ? '' : `, ${acceleration}`}`),
    ),
    h('p', { class: 'lead' }, `${sentence(suite.what)} Took ${quantity(suite.durationMs, 'ms')}.`),
    suite.caveats.length === 0
      ? null
      : h('ul', { class: 'caveats' }, ...suite.caveats.map((text) => h('li', null, text))),
    ladderPlot(suite.ladders),
    curves.length === 0
      ? null
      : h('div', { class: 'curves' }, ...curves.map((figure) => curve(figure, index, bounds(figure)))),
    ...figureGroups(suite.figures).map((group) => panelTable(group, bounds, index)),
    ratioTable(suite.ratios, mine),
    factsOf(suite),
  );
}

/** Where a suite stands on the page. Names are not used: they come from outside. */
export function suiteAnchor(index: number): string {
  return `suite-${index}`;
}

function panelTable(
  { title, figures }: FigureGroup,
  bounds: (figure: NamedFigure) => readonly Bound[],
  suite: number,
): VNode {
  const lines = figures.flatMap((figure) => bounds(figure));
  const { unit, better } = figures[0]!;
  const axis = axisOf([...figures.flatMap(({ samples }) => samples), ...lines.map(({ value }) => value)], unit);
  const scale = axis.kind === 'log' ? ', logarithmic' : '';
  const head = [
    h('span', { class: 'title' }, `every sample, ${better} is better${scale}`, ...keyOf(lines)),
    axisLabels(axis),
  ];
  const columns = [
    { name: title === '' ? 'figure' : title, class: 'what' },
    { name: head, class: 'plot' },
    { name: 'p50', class: 'number strong', short: 'p50' },
    { name: 'p95', class: 'number', short: 'p95' },
    { name: 'p99', class: 'number', short: 'p99' },
    { name: 'max', class: 'number', short: 'max' },
    { name: 'samples', class: 'number', short: 'n' },
  ];
  const caption = `${title === '' ? 'Figures' : title}: percentiles and every sample`;
  return table(
    { class: 'figures', caption, columns },
    figures.map((figure): readonly ComponentChild[] => [
      nameInGroup(figure),
      strip(figure, suite, axis, bounds(figure)),
      ...[figure.p50, figure.p95, figure.p99, figure.max].map((value) => quantity(value, unit)),
      figure.samples.length.toLocaleString('en-US'),
    ]),
  );
}

/** What the lines are, beside a piece of each. */
function keyOf(lines: readonly Bound[]): readonly VNode[] {
  const kinds = ['median', ...new Set(lines.map(({ kind }) => kind))];
  return kinds.map((kind) =>
    h(
      'span',
      { class: 'key' },
      h(
        'svg',
        { class: 'piece', width: 4, height: 11, 'aria-hidden': 'true' },
        h('line', { class: kind, x1: 2, x2: 2, y1: 0, y2: 11 }),
      ),
      kind,
    ),
  );
}

function factsOf({ facts }: SuiteResult): VNode | null {
  const entries = Object.entries(facts);
  if (entries.length === 0) return null;
  const list = factList(entries.map(([name, value]) => [name, String(value)]));
  if (entries.length <= 6) return list;
  return h('details', null, h('summary', null, `${entries.length} facts and versions`), list);
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
