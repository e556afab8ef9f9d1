import { describe, expect, test } from 'vitest';
import { Recorder } from './recorder.ts';

describe('Recorder', () => {
  test('keeps every sample in the order in which it came', () => {
    const recorder = new Recorder();
    for (const sample of [3, 1, 2]) recorder.add('a', sample);
    expect(recorder.result().figures.a).toEqual({ unit: 'ms', samples: [3, 1, 2], p50: 2, p95: 3, p99: 3, max: 3 });
  });

  test('keeps five digits of a sample, however small it is', () => {
    const recorder = new Recorder();
    recorder.add('a', 0.000123456789);
    expect(recorder.result().figures.a?.samples).toEqual([0.00012346]);
  });

  test('divides medians of one run', () => {
    const recorder = new Recorder();
    for (const sample of [1, 2, 90]) recorder.add('fast', sample);
    for (const sample of [4, 8, 9]) recorder.add('slow', sample);
    recorder.ratio('fast to slow', 'fast', 'slow');
    expect(recorder.result().ratios).toEqual({ 'fast to slow': 0.25 });
  });

  test('divides pair by pair where rounds differ more than figures do', () => {
    const recorder = new Recorder();
    for (const sample of [1, 100, 3]) recorder.add('ours', sample);
    for (const sample of [2, 200, 2]) recorder.add('theirs', sample);
    recorder.pairedRatio('ours to theirs', 'ours', 'theirs');
    expect(recorder.result().ratios).toEqual({ 'ours to theirs': 0.5 });
  });

  test('refuses pairs that are none', () => {
    const recorder = new Recorder();
    recorder.add('a', 1);
    expect(() => recorder.pairedRatio('a to b', 'a', 'b')).toThrow("'a' has 1 samples, 'b' has 0");
  });

  test('refuses a ratio of what was not measured', () => {
    const recorder = new Recorder();
    recorder.add('a', 1);
    expect(() => recorder.ratio('a to b', 'a', 'b')).toThrow(RangeError);
  });

  test('refuses a figure in two units', () => {
    const recorder = new Recorder();
    recorder.add('a', 1);
    expect(() => recorder.add('a', 1, 'calls/s')).toThrow("figure 'a' is in ms, got a sample in calls/s");
  });

  test('keeps facts beside the figures', () => {
    const recorder = new Recorder();
    recorder.fact('peer', 'python');
    expect(recorder.result().facts).toEqual({ peer: 'python' });
  });
});
