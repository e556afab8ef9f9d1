import { describe, expect, test } from 'vitest';
import { axisOf } from './axis.ts';
import { cumulativePath, dotsPath, PLOT_WIDTH } from './paths.ts';

const HEIGHT = 34;

interface Dot {
  readonly x: number;
  readonly y: number;
}

function dots(path: string): readonly Dot[] {
  return [...path.matchAll(/M([\d.]+) ([\d.]+)h0/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
}

describe('dotsPath', () => {
  test('has a dot for every sample, at its value', () => {
    const samples = [3, 1, 2, 2];
    const axis = axisOf(samples, 'ms');
    const drawn = dots(dotsPath(samples, axis, HEIGHT));
    expect(drawn.map(({ x }) => x)).toEqual(samples.map((value) => expect.closeTo(axis.at(value) * PLOT_WIDTH, 0)));
    expect(drawn.every(({ y }) => y >= 0 && y <= HEIGHT)).toBe(true);
  });

  test('equal samples do not hide each other', () => {
    const drawn = dots(dotsPath([5, 5, 5], axisOf([5], 'ms'), HEIGHT));
    expect(new Set(drawn.map(({ y }) => y)).size).toBe(3);
  });

  test('spreads wider where samples crowd', () => {
    const samples = [...Array.from({ length: 200 }, (_, index) => 10 + index / 1000), 50, 60];
    const drawn = dots(dotsPath(samples, axisOf(samples, 'ms'), HEIGHT));
    const heightOf = (part: readonly Dot[]): number => Math.max(...part.map(({ y }) => Math.abs(y - HEIGHT / 2)));
    expect(heightOf(drawn.slice(0, 200))).toBeGreaterThan(2 * heightOf(drawn.slice(200)));
  });

  test('stays small for very many samples, and loses no place', () => {
    const samples = Array.from({ length: 50_000 }, (_, index) => 1 + (index % 1000));
    const axis = axisOf(samples, 'ms');
    const path = dotsPath(samples, axis, HEIGHT);
    expect(path.length).toBeLessThan(400_000);
    const places = new Set(dots(path).map(({ x }) => x));
    expect(samples.every((value) => places.has(Math.round(axis.at(value) * PLOT_WIDTH)))).toBe(true);
  });
});

test('a cumulative path rises by one step for each sample, from bottom to top', () => {
  const axis = axisOf([1, 2, 3, 4], 'ms');
  const path = cumulativePath([4, 1, 3, 2], axis, 100);
  const heights = [...path.matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
  expect(path.startsWith('M0,100')).toBe(true);
  expect([...new Set(heights)]).toEqual([100, 75, 50, 25, 0]);
  expect(path).toContain(`L${PLOT_WIDTH},0`);
});
