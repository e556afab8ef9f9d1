import type { ComponentChild, VNode } from 'preact';
import type { Axis } from '../chart/axis.ts';
import { PLOT_WIDTH } from '../chart/paths.ts';
import { h } from './element.ts';

/** A share of a length as SVG writes it, so that a plot has no width of its own. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

/** A plot as wide as the page lets it be. Its text keeps its size, because only {@link stretched} parts are stretched. */
export function plot(
  facts: { readonly label: string; readonly height: number; readonly class: string; readonly data?: PlotData },
  ...children: ComponentChild[]
): VNode {
  const { label, height, data } = facts;
  return h(
    'svg',
    { class: `block ${facts.class}`, width: '100%', height, role: 'img', 'aria-label': label, ...dataAttributes(data) },
    ...children,
  );
}

/** Which samples a plot shows, for the script that reads values off it. */
export interface PlotData {
  readonly suite: number;
  readonly figure: string;
  readonly axis: Axis;
}

function dataAttributes(data: PlotData | undefined): Readonly<Record<string, string>> {
  if (data === undefined) return {};
  const { suite, figure, axis } = data;
  return {
    'data-suite': String(suite),
    'data-figure': figure,
    'data-kind': axis.kind,
    'data-low': String(axis.low),
    'data-high': String(axis.high),
  };
}

/** A part of a plot that follows its width; strokes keep their thickness. */
export function stretched(height: number, ...paths: { readonly class: string; readonly d: string }[]): VNode {
  return h(
    'svg',
    {
      width: '100%',
      height,
      viewBox: `0 0 ${PLOT_WIDTH} ${height}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...paths.map(({ class: name, d }) => h('path', { class: name, d, 'vector-effect': 'non-scaling-stroke' })),
  );
}

/** A vertical line at a share of the width. */
export function upright(name: string, at: number, from: number, to: number): VNode {
  return h('line', { class: name, x1: percent(at), x2: percent(at), y1: from, y2: to });
}

/** Text beside a place, on the side where there is room. */
export function textAt(at: number, y: number, text: string, name: string): VNode {
  const anchor = at < 0.03 ? 'start' : at > 0.95 ? 'end' : 'middle';
  return h('text', { class: name, x: percent(at), y, 'text-anchor': anchor }, text);
}

/** The labels of an axis, as a plot of their own that stands in the head of a table. */
export function axisLabels({ ticks }: Axis): VNode {
  return h(
    'svg',
    { class: 'block axis', width: '100%', height: 16, 'aria-hidden': 'true' },
    ...ticks.map(({ at, label }) => textAt(at, 11, label, 'tick')),
  );
}

/** Faint lines at the ticks of an axis. */
export function gridLines({ ticks }: Axis, height: number): readonly VNode[] {
  return ticks.map(({ at }) => upright('grid', at, 0, height));
}
