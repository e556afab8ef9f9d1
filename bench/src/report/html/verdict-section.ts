import type { ComponentChild, VNode } from 'preact';
import type { BenchResult } from '../../result/bench-result.ts';
import type { Verdict } from '../../result/verdict.ts';
import { type Axis, timesAxis } from '../chart/axis.ts';
import { urgentFirst } from '../headline.ts';
import { OUTCOME_WORDS } from '../outcome-words.ts';
import { plain, quantity, timesFloorWords } from '../quantity.ts';
import { h } from './element.ts';
import { badge, NOTHING, section, table } from './parts.ts';
import { axisLabels, gridLines, percent, plot, upright } from './svg.ts';

const HEIGHT = 26;
/** Beyond this many times the floor a bar only says "very much". */
const LONGEST = 1_000;

/** Every target beside what was measured, and how far from its floor that is. */
export function verdictSection({ verdicts }: BenchResult): VNode | null {
  if (verdicts.length === 0) return null;
  const rows = urgentFirst(verdicts);
  const axis = headroomAxis(rows);
  const columns = [
    { name: 'what', class: 'what' },
    { name: 'verdict', class: 'verdict' },
    { name: 'stated', class: 'number stated', short: 'stated' },
    { name: 'floor', class: 'number', short: 'floor' },
    { name: 'goal', class: 'number', short: 'goal' },
    { name: 'measured', class: 'number strong', short: 'measured' },
    { name: headroomHead(axis), class: 'plot', short: 'to the floor' },
  ];
  return section(
    'verdicts',
    'Verdicts',
    h(
      'p',
      { class: 'lead' },
      'A floor must be reached, a goal is aimed at, and what is stated came with the project. Bars show how many times as good as its floor a figure is; to the left of the line it is missed.',
    ),
    table(
      { class: 'verdicts', caption: 'Each target, what was measured, and the ratio to its floor', columns },
      rows.map((verdict) => cells(verdict, axis)),
      (index) => `is-${OUTCOME_WORDS[rows[index]!.outcome].tone}`,
    ),
  );
}

function cells(verdict: Verdict, axis: Axis): readonly ComponentChild[] {
  const { unit, statistic, samples } = verdict;
  const bound = (value: number | null): string =>
    value === null ? NOTHING : `${verdict.better === 'lower' ? '≤' : '≥'} ${quantity(value, unit)}`;
  return [
    [h('b', null, verdict.what), h('small', null, `${verdict.id} · ${verdict.suite}, ${verdict.driver}`)],
    badge(OUTCOME_WORDS[verdict.outcome]),
    verdict.stated ?? NOTHING,
    bound(verdict.floor),
    bound(verdict.goal),
    verdict.measured === null
      ? NOTHING
      : [
          h('b', null, quantity(verdict.measured, unit)),
          h('small', null, statistic === 'ratio' ? 'ratio' : `${statistic} of ${samples ?? 'no'}`),
        ],
    verdict.timesFloor === null ? NOTHING : headroom(verdict, verdict.timesFloor, axis),
  ];
}

function headroom(verdict: Verdict, timesFloor: number, axis: Axis): VNode {
  const words = timesFloorWords(timesFloor);
  const [here, floor] = [axis.at(clampTimes(timesFloor)), axis.at(1)];
  const goal = goalTimes(verdict);
  const tone = timesFloor >= 1 ? 'good' : 'bad';
  return h(
    'span',
    { class: 'headroom' },
    plot(
      { class: 'bar', height: HEIGHT, label: `${verdict.what}: ${words}` },
      ...gridLines(axis, HEIGHT),
      h('rect', {
        class: `bar ${tone}`,
        x: percent(Math.min(here, floor)),
        width: percent(Math.abs(here - floor)),
        y: 9,
        height: 8,
      }),
      goal === null ? null : upright('goal', axis.at(clampTimes(goal)), 4, HEIGHT - 4),
      upright('floor', floor, 0, HEIGHT),
      h('circle', { class: `dot ${tone}`, cx: percent(here), cy: 13, r: 5 }),
    ),
    h('span', { class: `factor ${tone}` }, `${plain(timesFloor)}×`),
  );
}

function headroomHead(axis: Axis): ComponentChild {
  return [h('span', { class: 'title' }, 'times the floor'), axisLabels(axis)];
}

function headroomAxis(verdicts: readonly Verdict[]): Axis {
  const times = verdicts.flatMap((verdict) =>
    [verdict.timesFloor, goalTimes(verdict)].filter((value) => value !== null),
  );
  return timesAxis(times.map(clampTimes));
}

function goalTimes({ goal, floor, better }: Verdict): number | null {
  if (goal === null || floor === null || goal <= 0 || floor <= 0) return null;
  return better === 'lower' ? floor / goal : goal / floor;
}

function clampTimes(times: number): number {
  return Math.min(LONGEST, Math.max(1 / LONGEST, times));
}
