import type { VNode } from 'preact';
import type { Verdict } from '../../result/verdict.ts';
import { type Axis, axisOf } from '../chart/axis.ts';
import { cumulativePath, dotsPath } from '../chart/paths.ts';
import type { NamedFigure } from '../figure-groups.ts';
import { plain, quantity } from '../quantity.ts';
import { h } from './element.ts';
import { gridLines, percent, plot, stretched, textAt, upright } from './svg.ts';

const STRIP_HEIGHT = 34;
const CURVE_HEIGHT = 190;
const LABEL_ROW = 16;
const LEVELS = [0, 0.25, 0.5, 0.75, 1];
const LEVELS_WIDTH = 38;

/** A line to hold samples against. */
export interface Bound {
  readonly kind: 'floor' | 'goal' | 'stated';
  readonly value: number;
}

/** The lines of a figure, without those of ratios. */
export function boundsOf(figure: string, driver: string, verdicts: readonly Verdict[]): readonly Bound[] {
  return verdicts
    .filter((verdict) => verdict.figure === figure && verdict.driver === driver && verdict.statistic !== 'ratio')
    .flatMap(({ floor, goal, statedBound }) => [
      ...(floor === null || floor <= 0 ? [] : [{ kind: 'floor' as const, value: floor }]),
      ...(goal === null || goal <= 0 ? [] : [{ kind: 'goal' as const, value: goal }]),
      ...(statedBound === null ? [] : [{ kind: 'stated' as const, value: statedBound }]),
    ]);
}

/** Every sample as a dot, the median as a line, bounds as ticks. */
export function strip(figure: NamedFigure, suite: number, axis: Axis, bounds: readonly Bound[]): VNode {
  const { samples, unit } = figure;
  const size = samples.length > 2_000 ? 'tiny' : samples.length > 120 ? 'small' : 'large';
  const label = `${figure.name}: ${samples.length} samples, median ${quantity(figure.p50, unit)}, greatest ${quantity(figure.max, unit)}`;
  return plot(
    { class: 'strip', height: STRIP_HEIGHT, label, data: { suite, figure: figure.name, axis } },
    ...gridLines(axis, STRIP_HEIGHT),
    stretched(STRIP_HEIGHT, { class: `dots ${size}`, d: dotsPath(samples, axis, STRIP_HEIGHT) }),
    ...bounds.map(({ kind, value }) => upright(kind, axis.at(value), 0, STRIP_HEIGHT)),
    upright('median', axis.at(figure.p50), 3, STRIP_HEIGHT - 3),
  );
}

/** The share of samples within a value, and the bounds with their names. */
export function curve(figure: NamedFigure, suite: number, bounds: readonly Bound[]): VNode {
  const { samples, unit, name } = figure;
  const axis = axisOf([...samples, ...bounds.map(({ value }) => value)], unit);
  const rows = bounds.toSorted((left, right) => left.value - right.value);
  const top = rows.length * LABEL_ROW + 6;
  const bottom = top + CURVE_HEIGHT;
  const yOf = (share: number): number => top + CURVE_HEIGHT * (1 - share);
  const label = `Share of the ${samples.length} samples of ${name} within a value: half within ${quantity(figure.p50, unit)}, 99 % within ${quantity(figure.p99, unit)}. ${rows.map(({ kind, value }) => `${kind} ${quantity(value, unit)}`).join(', ')}`;
  const picture = plot(
    { class: 'curve', height: bottom + 22, label, data: { suite, figure: name, axis } },
    ...LEVELS.map((share) => h('line', { class: 'grid', x1: 0, x2: '100%', y1: yOf(share), y2: yOf(share) })),
    ...axis.ticks.flatMap(({ at, label: text }) => [
      upright('grid', at, top, bottom),
      textAt(at, bottom + 16, text, 'tick'),
    ]),
    ...rows.flatMap(({ kind, value }, row) => boundLine(kind, axis.at(value), row, bottom, quantity(value, unit))),
    h(
      'svg',
      { y: top, width: '100%', height: CURVE_HEIGHT, overflow: 'visible' },
      stretched(CURVE_HEIGHT, {
        class: 'cumulative',
        d: cumulativePath(samples, axis, CURVE_HEIGHT),
      }),
    ),
    ...pointLabel(axis.at(figure.p50), yOf(0.5), `p50 ${quantity(figure.p50, unit)}`),
    ...(samples.length < 5 ? [] : pointLabel(axis.at(figure.p99), yOf(0.99), `p99 ${quantity(figure.p99, unit)}`)),
  );
  return h(
    'figure',
    { class: 'curve-card' },
    h('figcaption', null, h('b', null, name), ` – share of ${plain(samples.length)} samples within`),
    h('div', { class: 'curve-plot' }, levels(yOf, bottom + 22), picture),
  );
}

function levels(yOf: (share: number) => number, height: number): VNode {
  const labels = LEVELS.map((share) =>
    h('text', { class: 'tick', x: LEVELS_WIDTH - 8, y: yOf(share) + 4, 'text-anchor': 'end' }, `${share * 100} %`),
  );
  return h('svg', { class: 'levels', width: LEVELS_WIDTH, height, 'aria-hidden': 'true' }, ...labels);
}

function boundLine(kind: Bound['kind'], at: number, row: number, bottom: number, text: string): readonly VNode[] {
  const y = (row + 1) * LABEL_ROW - 4;
  const left = at > 0.6;
  return [
    upright(kind, at, y + 4, bottom),
    h(
      'text',
      { class: `bound ${kind}`, x: percent(at), dx: left ? -4 : 4, y, 'text-anchor': left ? 'end' : 'start' },
      `${kind} ${text}`,
    ),
    h('line', { class: `${kind} stem`, x1: percent(at), x2: percent(at), y1: y - 9, y2: y + 4 }),
  ];
}

/** A curve that only rises leaves room above it on the left, and below it on the right. */
function pointLabel(at: number, y: number, text: string): readonly VNode[] {
  const left = at > 0.68;
  return [
    h('circle', { class: 'point', cx: percent(at), cy: y, r: 4 }),
    h(
      'text',
      {
        class: 'point-label',
        x: percent(at),
        y: left ? y - 8 : y + 15,
        dx: left ? -4 : 8,
        'text-anchor': left ? 'end' : 'start',
      },
      text,
    ),
  ];
}
