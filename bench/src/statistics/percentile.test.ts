import { describe, expect, test } from 'vitest';
import { percentile } from './percentile.ts';

describe('percentile', () => {
  test.each([
    [0.5, 2],
    [0.75, 3],
    [0.76, 4],
    [0.99, 4],
    [1, 4],
    [0, 1],
  ])('%d of four samples is the nearest rank', (share, expected) => {
    expect(percentile([4, 1, 3, 2], share)).toBe(expected);
  });

  test('sorts by value and leaves the samples as they are', () => {
    const samples = [10, 9, 100];
    expect(percentile(samples, 0.5)).toBe(10);
    expect(samples).toEqual([10, 9, 100]);
  });

  test('of nothing is refused', () => {
    expect(() => percentile([], 0.5)).toThrow(new RangeError('samples is empty, expected at least one'));
  });
});
