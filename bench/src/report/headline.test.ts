import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../fixtures/results.ts';
import type { BenchResult } from '../result/bench-result.ts';
import type { Outcome, Verdict } from '../result/verdict.ts';
import { headline, urgentFirst } from './headline.ts';

function verdict(id: string, outcome: Outcome, floor: number | null = 10): Verdict {
  return {
    id,
    suite: 'reset',
    driver: 'libvirt',
    figure: id,
    what: id,
    statistic: 'p50',
    unit: 'ms',
    better: 'lower',
    stated: null,
    statedBound: null,
    floor,
    goal: null,
    measured: outcome === 'not-measured' ? null : 5,
    samples: 5,
    timesFloor: 2,
    outcome,
  };
}

function result(verdicts: readonly Verdict[], facts: Partial<BenchResult> = {}): BenchResult {
  return benchResult([suiteResult((recorder) => recorder.add('a', 1))], { verdicts, ...facts });
}

describe('headline', () => {
  test('a missed floor is the first thing it says', () => {
    const { sentence, tone } = headline(result([verdict('a', 'goal-met'), verdict('b', 'floor-missed')]));
    expect(sentence).toBe('1 of 2 floors is missed');
    expect(tone).toBe('bad');
  });

  test('counts only floors that were measured', () => {
    const verdicts = [verdict('a', 'floor-met'), verdict('b', 'not-measured'), verdict('c', 'recorded', null)];
    const { sentence, details, tone } = headline(result(verdicts));
    expect(sentence).toBe('The one floor is met');
    expect(details).toEqual(['1 target was not measured']);
    expect(tone).toBe('good');
  });

  test('claims nothing where nothing was demanded', () => {
    const { sentence, tone } = headline(result([verdict('a', 'recorded', null)]));
    expect(sentence).toBe('Measured, with nothing to hold it against');
    expect(tone).toBe('plain');
  });

  test('says where and when', () => {
    expect(headline(result([], { commit: 'abcdef0123456789+' })).scene).toEqual([
      'driver libvirt',
      'QEMU 7.2.22, libvirt 9.0.0',
      'acceleration tcg',
      '2 × a processor',
      '1 Nov 2026, 12:00 UTC',
      'commit abcdef0123+',
    ]);
  });
});

test('what needs a look comes first, records last, and the rest keeps its order', () => {
  const outcomes: readonly Outcome[] = [
    'recorded',
    'floor-met',
    'goal-met',
    'stated-missed',
    'not-measured',
    'floor-missed',
  ];
  const ordered = urgentFirst(outcomes.map((outcome) => verdict(outcome, outcome)));
  expect(ordered.map(({ id }) => id)).toEqual([
    'floor-missed',
    'stated-missed',
    'not-measured',
    'floor-met',
    'goal-met',
    'recorded',
  ]);
});
