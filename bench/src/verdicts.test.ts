import { describe, expect, test } from 'vitest';
import { suiteResult } from './fixtures/results.ts';
import type { SuiteResult } from './result/suite-result.ts';
import type { Target } from './targets.ts';
import { judge } from './verdicts.ts';

const target: Target = {
  id: 'acquire',
  suite: 'acquire',
  figure: 'acquire',
  what: 'a lease',
  statistic: 'p99',
  unit: 'ms',
  better: 'lower',
  stated: '< 100 ms',
  statedBound: 100,
  floor: 1,
  goal: 0.1,
};

function recorded(p99: number, ratio = 1): SuiteResult {
  return suiteResult(
    (recorder) => {
      for (const sample of [p99, p99]) recorder.add('acquire', sample);
      recorder.add('fast', ratio);
      recorder.add('slow', 1);
      recorder.ratio('speed', 'fast', 'slow');
    },
    { suite: 'acquire', driver: 'fake' },
  );
}

function outcomes(row: Target, ...results: readonly SuiteResult[]): readonly string[] {
  return results.map((result) => judge([row], [result])[0]?.outcome ?? 'none');
}

describe('judge', () => {
  test('tells the goal from the floor, and a missed floor aloud', () => {
    expect(outcomes(target, ...[0.1, 0.11, 1, 1.01].map((p99) => recorded(p99)))).toEqual([
      'goal-met',
      'floor-met',
      'floor-met',
      'floor-missed',
    ]);
  });

  test('takes what should be high the other way round', () => {
    const row: Target = {
      ...target,
      figure: 'speed',
      statistic: 'ratio',
      unit: 'ratio',
      better: 'higher',
      floor: 2,
      goal: null,
    };
    expect(outcomes(row, recorded(1, 1.9), recorded(1, 2))).toEqual(['floor-missed', 'floor-met']);
    expect(judge([row], [recorded(1, 3)])[0]?.timesFloor).toBe(1.5);
  });

  test('says how many times as good as the floor it is', () => {
    expect(judge([target], [recorded(0.25)])[0]).toMatchObject({ measured: 0.25, samples: 2, timesFloor: 4 });
  });

  test('holds against what is stated where there is no floor', () => {
    const row: Target = { ...target, floor: null, goal: null };
    expect(outcomes(row, recorded(100), recorded(101))).toEqual(['as-stated', 'stated-missed']);
  });

  test('judges nothing where nothing is claimed', () => {
    const row: Target = { ...target, stated: null, statedBound: null, floor: null, goal: null };
    expect(outcomes(row, recorded(1))).toEqual(['recorded']);
  });

  test('takes a floor of nothing at all, such as no leaked object', () => {
    const row: Target = { ...target, floor: 0, goal: null };
    const result = suiteResult((recorder) => recorder.add('acquire', 0, 'count'), { suite: 'acquire' });
    expect(judge([row], [result])[0]).toMatchObject({ outcome: 'floor-met', timesFloor: null });
  });

  test('leaves out what belongs to another suite or driver', () => {
    expect(outcomes({ ...target, suite: 'rpc' }, recorded(1))).toEqual(['none']);
    expect(outcomes({ ...target, drivers: ['qemu'] }, recorded(1))).toEqual(['none']);
  });

  test('says aloud that a suite ran without measuring a target', () => {
    expect(outcomes({ ...target, figure: 'other' }, recorded(1))).toEqual(['not-measured']);
  });
});
