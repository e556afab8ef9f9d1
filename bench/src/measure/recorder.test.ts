import { describe, expect, test } from 'vitest';
import { Recorder } from './recorder.ts';

describe('Recorder', () => {
  test('keeps every sample in the order in which it came', () => {
    const recorder = new Recorder();
    for (const sample of [3, 1, 2]) recorder.add('a', sample);
    expect(recorder.result().figures.a).toEqual({
      unit: 'ms',
      better: 'lower',
      group: null,
      samples: [3, 1, 2],
      blocks: [3],
      p50: 2,
      p95: 3,
      p99: 3,
      max: 3,
    });
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
    expect(recorder.result().ratios['fast to slow']).toEqual({
      value: 0.25,
      figure: 'fast',
      reference: 'slow',
      method: 'medians',
      low: null,
      high: null,
    });
  });

  test('divides pair by pair where rounds differ more than figures do', () => {
    const recorder = new Recorder();
    for (const sample of [1, 100, 3]) recorder.add('ours', sample);
    for (const sample of [2, 200, 2]) recorder.add('theirs', sample);
    recorder.pairedRatio('ours to theirs', 'ours', 'theirs');
    expect(recorder.result().ratios['ours to theirs']).toMatchObject({ value: 0.5, method: 'pairs' });
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

  test('says how sure a ratio is, given enough samples', () => {
    const recorder = new Recorder();
    for (const sample of [9, 10, 11, 10, 10]) {
      recorder.add('ours', sample);
      recorder.add('theirs', sample * 2);
    }
    recorder.ratio('ours to theirs', 'ours', 'theirs');
    const { low, high } = recorder.result().ratios['ours to theirs']!;
    expect(low).toBeGreaterThan(0.4);
    expect(low).toBeLessThanOrEqual(0.5);
    expect(high).toBeGreaterThanOrEqual(0.5);
    expect(high).toBeLessThan(0.65);
  });

  test('keeps the stages of one turn together', () => {
    const recorder = new Recorder();
    recorder.stages('fork', { fork: 10, agent: 5 });
    recorder.stages('fork', { agent: 6, fork: 11 });
    expect(recorder.result().ladders).toEqual({ fork: { fork: [10, 11], agent: [5, 6] } });
    expect(() => recorder.stages('fork', { fork: 12 })).toThrow(
      "'fork' has the stages fork,agent, got a sample of fork",
    );
  });

  test('knows which figures belong into one picture, and that more calls are better', () => {
    const recorder = new Recorder();
    recorder.add('flow', 1, 'calls/s');
    recorder.group('flows', ['flow']);
    expect(recorder.result().figures.flow).toMatchObject({ group: 'flows', better: 'higher' });
  });

  test('says each caveat once', () => {
    const recorder = new Recorder();
    for (let time = 0; time < 2; time += 1) recorder.caveat('Busy.');
    expect(recorder.result().caveats).toEqual(['Busy.']);
  });

  test('keeps facts beside the figures', () => {
    const recorder = new Recorder();
    recorder.fact('peer', 'python');
    expect(recorder.result().facts).toEqual({ peer: 'python' });
  });
});
