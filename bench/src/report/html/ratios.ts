import type { ComponentChild, VNode } from 'preact';
import type { Ratio } from '../../result/suite-result.ts';
import type { Verdict } from '../../result/verdict.ts';
import { type Axis, ratioAxis } from '../chart/axis.ts';
import { OUTCOME_WORDS } from '../outcome-words.ts';
import { plain } from '../quantity.ts';
import { h } from './element.ts';
import { badge, NOTHING, table } from './parts.ts';
import { axisLabels, gridLines, percent, plot, upright } from './svg.ts';

const HEIGHT = 26;

/** A value with the interval in which it lies. */
export interface Interval {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Ratios inside one run, with their confidence intervals and bounds. */
export function ratioTable(ratios: Readonly<Record<string, Ratio>>, verdicts: readonly Verdict[]): VNode | null {
  const entries = Object.entries(ratios);
  if (entries.length === 0) return null;
  const verdictOf = (name: string): Verdict | undefined =>
    verdicts.find(({ figure, statistic }) => statistic === 'ratio' && figure === name);
  const bounds = entries.flatMap(([name]) =>
    [verdictOf(name)?.floor, verdictOf(name)?.goal].filter((value) => value != null),
  );
  const axis = ratioAxis([...entries.flatMap(([, ratio]) => ends(ratio)), ...bounds], 1.5);
  const columns = [
    { name: 'ratio in this run', class: 'what' },
    { name: [h('span', { class: 'title' }, 'with 95 % confidence, logarithmic'), axisLabels(axis)], class: 'plot' },
    { name: 'value', class: 'number strong', short: 'value' },
    { name: 'between', class: 'number', short: 'between' },
    { name: 'verdict', class: 'verdict' },
  ];
  return table(
    { class: 'ratios', caption: 'Figures of this run divided by each other: what holds on any computer', columns },
    entries.map(([name, ratio]): readonly ComponentChild[] => {
      const verdict = verdictOf(name);
      return [
        [h('b', null, name), h('small', null, `${ratio.figure} ÷ ${ratio.reference}`)],
        interval(`${name}: ${spoken(ratio)}`, ratio, axis, 'plain', boundLines(verdict, axis)),
        plain(ratio.value),
        between(ratio),
        verdict === undefined ? NOTHING : badge(OUTCOME_WORDS[verdict.outcome]),
      ];
    }),
  );
}

/** A dot with its whiskers. */
export function interval(
  label: string,
  ratio: Interval,
  axis: Axis,
  tone: string,
  below: readonly (VNode | null)[] = [],
): VNode {
  const middle = HEIGHT / 2;
  const [low, high] = [axis.at(ratio.low ?? ratio.value), axis.at(ratio.high ?? ratio.value)];
  return plot(
    { class: 'forest', height: HEIGHT, label },
    ...below,
    ...gridLines(axis, HEIGHT),
    upright('one', axis.at(1), 0, HEIGHT),
    h('line', { class: `whisker ${tone}`, x1: percent(low), x2: percent(high), y1: middle, y2: middle }),
    h('circle', { class: `dot ${tone}`, cx: percent(axis.at(ratio.value)), cy: middle, r: 5 }),
  );
}

/** Its interval in words; a dash where there are too few samples to tell. */
export function between({ low, high }: Interval): string {
  return low === null || high === null ? NOTHING : `${plain(low)} – ${plain(high)}`;
}

/** Every number that must have a place on the axis. */
export function ends({ value, low, high }: Interval): readonly number[] {
  return [value, ...(low === null ? [] : [low]), ...(high === null ? [] : [high])];
}

function spoken(ratio: Interval): string {
  const words = between(ratio);
  return words === NOTHING ? plain(ratio.value) : `${plain(ratio.value)}, between ${words}`;
}

function boundLines(verdict: Verdict | undefined, axis: Axis): readonly (VNode | null)[] {
  if (verdict === undefined) return [];
  const { floor, goal } = verdict;
  return [
    floor === null || floor <= 0 ? null : upright('floor', axis.at(floor), 0, HEIGHT),
    goal === null || goal <= 0 ? null : upright('goal', axis.at(goal), 0, HEIGHT),
  ];
}
