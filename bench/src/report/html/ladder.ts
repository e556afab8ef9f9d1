import type { VNode } from 'preact';
import type { Ladder } from '../../result/ladder.ts';
import { lengthAxis } from '../chart/axis.ts';
import { type LadderPath, ladderPaths } from '../ladder-path.ts';
import { quantity } from '../quantity.ts';
import { h } from './element.ts';
import { gridLines, percent, plot, textAt } from './svg.ts';

const BAR_TOP = 2;
const BAR_HEIGHT = 30;
/** What a letter and the room around a name take of a bar on a phone. A stage without room for its name has it in the list below. */
const LETTER = 0.022;
const AROUND_NAME = 0.05;

/** Bars of the stages of each path, all on one scale. */
export function ladderPlot(ladders: Readonly<Record<string, Ladder>>): VNode | null {
  const paths = ladderPaths(ladders);
  if (paths.length === 0) return null;
  const axis = lengthAxis(Math.max(...paths.map(({ sumMs }) => sumMs)), 'ms');
  return h(
    'figure',
    { class: 'ladders' },
    h('figcaption', null, h('b', null, 'Where the time goes'), ' – median of each stage, one after the other'),
    ...paths.map((path) =>
      h(
        'div',
        { class: 'ladder' },
        h(
          'p',
          { class: 'path' },
          h('b', null, path.name),
          ` ${quantity(path.wholeMs, 'ms')} `,
          h('small', null, `median of ${path.samples}`),
        ),
        plot(
          { class: 'stages', height: BAR_TOP * 2 + BAR_HEIGHT, label: labelOf(path) },
          ...gridLines(axis, BAR_HEIGHT + 4),
          ...bars(path, (ms) => axis.at(ms)),
        ),
        h(
          'ul',
          { class: 'stage-list' },
          ...path.stages.map(({ stage, medianMs }) =>
            h(
              'li',
              null,
              h('i', { class: `swatch ${stage}`, 'aria-hidden': 'true' }),
              `${stage} `,
              h('b', null, quantity(medianMs, 'ms')),
            ),
          ),
        ),
      ),
    ),
    h(
      'svg',
      { class: 'block axis', width: '100%', height: 16, 'aria-hidden': 'true' },
      ...axis.ticks.map(({ at, label }) => textAt(at, 11, label, 'tick')),
    ),
  );
}

function bars({ stages }: LadderPath, at: (ms: number) => number): readonly VNode[] {
  let startMs = 0;
  return stages.flatMap(({ stage, medianMs }) => {
    const from = at(startMs);
    startMs += medianMs;
    const share = at(startMs) - from;
    const bar = h('rect', {
      class: `stage ${stage}`,
      x: percent(from),
      width: percent(share),
      y: BAR_TOP,
      height: BAR_HEIGHT,
    });
    if (share < AROUND_NAME + LETTER * stage.length) return [bar];
    return [bar, h('text', { class: `stage-name ${stage}`, x: percent(from), dx: 8, y: BAR_TOP + 20 }, stage)];
  });
}

function labelOf({ name, stages }: LadderPath): string {
  return `${name}: ${stages.map(({ stage, medianMs }) => `${stage} ${quantity(medianMs, 'ms')}`).join(', ')}`;
}
