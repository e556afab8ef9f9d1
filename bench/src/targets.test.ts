import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Recording } from './measure/recorder.ts';
import { SUITES } from './suites.ts';
import { compare, parseTargets, type Target } from './targets.ts';

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

function recorded(p99: number, ratio = 1): Recording {
  return {
    figures: { acquire: { unit: 'ms', samples: [p99, p99], p50: p99, p95: p99, p99, max: p99 } },
    ratios: { speed: ratio },
    facts: {},
  };
}

function verdict(row: Target, recording: Recording): string | undefined {
  return compare([row], row.suite, recording)[0]?.verdict;
}

describe('compare', () => {
  test('tells the goal from the floor, and a missed floor aloud', () => {
    expect([0.1, 0.11, 1, 1.01].map((p99) => verdict(target, recorded(p99)))).toEqual([
      'goal met',
      'floor met',
      'floor met',
      'FLOOR MISSED',
    ]);
  });

  test('takes what should be high the other way round', () => {
    const row: Target = { ...target, figure: 'speed', statistic: 'ratio', better: 'higher', floor: 2, goal: null };
    expect([1.9, 2].map((ratio) => verdict(row, recorded(1, ratio)))).toEqual(['FLOOR MISSED', 'floor met']);
  });

  test('holds against what is stated where there is no floor', () => {
    const row: Target = { ...target, floor: null, goal: null };
    expect([100, 101].map((p99) => verdict(row, recorded(p99)))).toEqual(['as stated', 'stated time missed']);
  });

  test('judges nothing where nothing is claimed', () => {
    const row: Target = { ...target, stated: null, statedBound: null, floor: null, goal: null };
    expect(verdict(row, recorded(1))).toBe('');
  });

  test('leaves out what belongs to another suite and what was not measured', () => {
    expect(compare([target], 'rpc', recorded(1))).toEqual([]);
    expect(compare([{ ...target, figure: 'other' }], 'acquire', recorded(1))).toEqual([]);
  });

  test('says how many samples there were', () => {
    expect(compare([target], 'acquire', recorded(1))[0]?.samples).toBe(2);
  });
});

describe('targets.json', () => {
  const targets = parseTargets(readFileSync(new URL('../targets.json', import.meta.url), 'utf8'));

  test('has a row for every suite, and none for a suite that is not there', () => {
    expect(new Set(targets.map(({ suite }) => suite))).toEqual(new Set(SUITES.map(({ name }) => name)));
  });

  test('has no id twice', () => {
    expect(new Set(targets.map(({ id }) => id)).size).toBe(targets.length);
  });

  test('asks of no goal less than of the floor', () => {
    for (const { id, floor, goal, better } of targets) {
      if (floor === null || goal === null) continue;
      expect(better === 'lower' ? goal <= floor : goal >= floor, id).toBe(true);
    }
  });
});

describe('parseTargets', () => {
  test('names the row and the field that makes no sense', () => {
    const text = JSON.stringify([target, { ...target, floor: 'low' }]);
    expect(() => parseTargets(text)).toThrow('targets[1].floor is "low"');
  });

  test('refuses anything but a list', () => {
    expect(() => parseTargets('{}')).toThrow(TypeError);
  });
});
