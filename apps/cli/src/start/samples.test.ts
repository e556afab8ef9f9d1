import { describe, expect, test } from 'vitest';
import { Samples } from './samples.ts';

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
