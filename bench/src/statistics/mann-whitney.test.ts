import { describe, expect, test } from 'vitest';
import { holm } from './holm.ts';
import { mannWhitney } from './mann-whitney.ts';

/** Two samples without ties of which the left one has the given U. */
function samplesOf(u: number, left: number, right: number): [number[], number[]] {
  const before = Array.from({ length: left }, (_, index) => {
    const share = Math.max(0, Math.min(right, u - (left - 1 - index) * right));
    return share;
  }).sort((a, b) => a - b);
  const lefts = before.map((count, index) => count + (index + 1) / (left + 2));
  return [lefts, Array.from({ length: right }, (_, index) => index + 1)];
}

describe('mannWhitney', () => {
  // Two-tailed critical values of U at 0.05 from the usual tables: the largest U that is still significant.
  test.each([
    [4, 4, 0],
    [5, 5, 2],
    [6, 6, 5],
    [7, 7, 8],
    [8, 8, 13],
    [10, 10, 23],
    [5, 8, 6],
    [6, 12, 14],
    [15, 15, 64],
    [20, 20, 127],
  ])('agrees with the tables for %i and %i samples', (left, right, critical) => {
    expect(mannWhitney(...samplesOf(critical, left, right))).toBeLessThanOrEqual(0.05);
    expect(mannWhitney(...samplesOf(critical + 1, left, right))).toBeGreaterThan(0.05);
  });

  test('agrees with the worked example of SciPy, exact', () => {
    expect(mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12])).toBeCloseTo(0.1111111111, 9);
  });

  test('agrees with counting by hand', () => {
    expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
  });

  test('approximates the exact value for many samples', () => {
    const [left, right] = samplesOf(127, 20, 20);
    const extra = (values: number[]) => [...values, 0.5];
    expect(mannWhitney(extra(left), extra(right))).toBeCloseTo(mannWhitney(left, right), 1);
  });

  test('agrees with a worked example with ties', () => {
    // U is 3: of the right side only 3 lies before 4 and 5, and beside 3 and 3. Groups of 2, 3 and 2 equals: 6 + 24 + 6 = 36.
    const z = (46 - 24.5 - 0.5) / Math.sqrt((49 / 12) * (15 - 36 / 182));
    expect(z).toBeCloseTo(2.701, 3);
    // Of the normal distribution, 0.3457 % lie beyond 2.701.
    expect(mannWhitney([1, 1, 2, 3, 3, 4, 5], [3, 6, 6, 7, 8, 9, 10])).toBeCloseTo(2 * 0.003457, 4);
  });

  test('finds nothing in samples that are all alike', () => {
    expect(mannWhitney([1, 1, 1], [1, 1, 1])).toBe(1);
  });

  test('does not care which side comes first', () => {
    const [left, right] = samplesOf(10, 8, 8);
    expect(mannWhitney(left, right)).toBeCloseTo(mannWhitney(right, left), 12);
  });

  test('refuses a side without samples', () => {
    expect(() => mannWhitney([], [1])).toThrow('both sides need samples, got 0 and 1');
  });
});

describe('holm', () => {
  test('multiplies the least by all, the next by one less, and never falls', () => {
    expect(holm([0.04, 0.01, 0.02])).toEqual([0.04, 0.03, 0.04]);
  });

  test('gives no probability above 1', () => {
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });
});
