import type { Axis } from '../chart/axis.ts';

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Where samples lie on an axis, as a row of small bars; a place without samples stays empty. */
export function histogram(samples: readonly number[], axis: Axis, width: number): string {
  const counts = new Array<number>(width).fill(0);
  for (const sample of samples) counts[Math.min(width - 1, Math.floor(axis.at(sample) * width))]! += 1;
  const most = counts.reduce((left, right) => Math.max(left, right), 0);
  return counts.map((count) => (count === 0 ? ' ' : LEVELS[Math.ceil((count / most) * LEVELS.length) - 1]!)).join('');
}

/** A bar of several parts, each drawn with a character of its own; a part that is there at all gets at least one. */
export function stackedBar(
  parts: readonly number[],
  whole: number,
  width: number,
  characters: readonly string[],
): string {
  return parts
    .map((part, index) => {
      const length = whole > 0 ? Math.max(part > 0 ? 1 : 0, Math.round((part / whole) * width)) : 0;
      return characters[index % characters.length]!.repeat(length);
    })
    .join('');
}
