import { describe, expect, test } from 'vitest';
import { suiteResult } from './fixtures/results.ts';
import { decideGate } from './gate.ts';
import type { Target } from './targets.ts';
import { judge } from './verdicts.ts';

const target: Target = {
  id: 'reset-running',
  suite: 'reset',
  figure: 'in place',
  what: 'a reset',
  statistic: 'p50',
  unit: 'ms',
  better: 'lower',
  stated: null,
  statedBound: null,
  floor: 100,
  goal: null,
};
const measured = (value: number) => suiteResult((recorder) => recorder.add('in place', value));

describe('decideGate', () => {
  test('passes where floors are met', () => {
    expect(decideGate(judge([target], [measured(100)]), null)).toEqual({ passed: true, reasons: [] });
  });

  test('names the floor that is missed, and by what', () => {
    expect(decideGate(judge([target], [measured(101)]), null)).toEqual({
      passed: false,
      reasons: ["reset-running (libvirt): p50 of 'in place' is 101, expected at most 100 (ms)"],
    });
  });

  test('does not pass what was not measured', () => {
    const gate = decideGate(judge([{ ...target, figure: 'other' }], [measured(1)]), null);
    expect(gate.reasons).toEqual(["reset-running (libvirt): the suite has no figure 'other'"]);
  });
});
