import { describe, expect, test } from 'vitest';
import { percentile, Samples } from './samples.ts';

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

describe('Samples', () => {
  test('keeps the samples of each figure in the order they were taken', () => {
    const samples = new Samples();
    for (const value of [3, 1, 2]) samples.add('reset', value);
    samples.add('exec', 7);
    expect(samples.of('reset')).toEqual([3, 1, 2]);
    expect(samples.of('exec')).toEqual([7]);
  });

  test('has none of a figure that was never measured', () => {
    expect(new Samples().of('reset')).toEqual([]);
    expect(new Samples().report()).toEqual({});
  });

  test('reports microseconds, and statistics that are samples', () => {
    const samples = new Samples();
    for (const value of [1.00049, 2.0005, 30]) samples.add('reset', value);
    expect(samples.report()).toEqual({
      reset: { samplesMs: [1, 2.001, 30], p50: 2.001, p95: 30, p99: 30, max: 30 },
    });
  });
});
