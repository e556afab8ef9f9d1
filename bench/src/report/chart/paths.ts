import { curveStepAfter, line } from 'd3-shape';
import type { Axis } from './axis.ts';

/** Width of every plot in its own units; the page stretches it. */
export const PLOT_WIDTH = 1000;
/** From this many samples on, what falls onto the same unit of the plot is drawn once. */
const MANY = 1_000;
const BINS = 80;
const GOLDEN = 0.618_033_988_749_895;

/**
 * A dot for every sample, as a path whose subpaths have no length: with round caps that does not stretch they are dots on a plot of
 * any width. Dots spread as far as their neighbourhood is crowded, so the whole has the shape of the distribution.
 */
export function dotsPath(samples: readonly number[], axis: Axis, height: number): string {
  const places = samples.map((value) => axis.at(value));
  const crowd = crowding(places);
  const grid = samples.length > MANY ? 1 : 0.1;
  const seen = new Set<string>();
  for (const [index, place] of places.entries()) {
    const spread = 0.12 + 0.76 * crowd(place);
    const offset = ((index * GOLDEN) % 1) - 0.5;
    const x = onGrid(place * PLOT_WIDTH, grid);
    const y = onGrid(height * (0.5 + offset * spread), samples.length > MANY ? 1 : 0.5);
    seen.add(`M${x} ${y}h0`);
  }
  return [...seen].join('');
}

/** The share of samples that is at most x, rising in steps from bottom (0) to top (1). */
export function cumulativePath(samples: readonly number[], axis: Axis, height: number): string {
  const sorted = samples.toSorted((left, right) => left - right);
  const grid = samples.length > MANY ? 1 : 0.1;
  const steps = new Map<number, number>([[0, 0]]);
  for (const [index, value] of sorted.entries()) {
    steps.set(onGrid(axis.at(value) * PLOT_WIDTH, grid), (index + 1) / sorted.length);
  }
  steps.set(PLOT_WIDTH, 1);
  const path = line<readonly [number, number]>()
    .x(([x]) => x)
    .y(([, share]) => onGrid(height * (1 - share), 0.1))
    .curve(curveStepAfter)
    .digits(1);
  return path([...steps]) ?? '';
}

/** How crowded a place is, from 0 to 1, beside the most crowded one. */
function crowding(places: readonly number[]): (place: number) => number {
  const counts = new Array<number>(BINS + 1).fill(0);
  for (const place of places) counts[Math.round(place * BINS)]! += 1;
  const smooth = counts.map((count, bin) => 0.5 * count + 0.25 * ((counts[bin - 1] ?? 0) + (counts[bin + 1] ?? 0)));
  const most = smooth.reduce((left, right) => Math.max(left, right), 0);
  // A handful of samples has no shape; they get half the height, so that none hides another.
  const trust = Math.min(1, places.length / 40);
  return (place) => trust * ((smooth[Math.round(place * BINS)] ?? 0) / most) + (1 - trust) * 0.5;
}

function onGrid(value: number, grid: number): number {
  return Number((Math.round(value / grid) * grid).toFixed(1));
}
