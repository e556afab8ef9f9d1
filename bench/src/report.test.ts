import { describe, expect, test } from 'vitest';
import { suiteResult } from './fixtures/results.ts';
import { figureTable, targetTable } from './report.ts';
import type { Target } from './targets.ts';
import { judge } from './verdicts.ts';

const result = suiteResult(
  (recorder) => {
    for (const sample of [10, 20, 30]) recorder.add('flow', sample, 'calls/s');
    for (const sample of [12.345, 12.345, 12.345, 12.345]) recorder.add('ours', sample);
    for (const sample of [10, 10, 10, 10]) recorder.add('theirs', sample);
    recorder.ratio('ours to theirs', 'ours', 'theirs');
    recorder.fact('peer', 'python');
    recorder.caveat('The computer was busy.');
  },
  { suite: 'rpc' },
);

const target: Target = {
  id: 'rpc',
  suite: 'rpc',
  figure: 'ours to theirs',
  what: 'ours',
  statistic: 'ratio',
  unit: 'ratio',
  better: 'lower',
  stated: null,
  statedBound: null,
  floor: 1.1,
  goal: null,
};

describe('report', () => {
  test('says honestly that a floor is missed', () => {
    expect(targetTable(judge([target], [result]))).toMatch(/rpc .*<= 1\.1 .*1\.23 .*FLOOR MISSED/);
  });

  test('says honestly that a target was not measured', () => {
    expect(targetTable(judge([{ ...target, figure: 'theirs to ours' }], [result]))).toContain('NOT MEASURED');
  });

  test('shows each figure in its unit, and ratios, facts and caveats below', () => {
    const text = figureTable(result);
    expect(text).toMatch(/flow .* 3 .*20\/s.*30\/s/);
    expect(text).toContain('ours to theirs: 1.2345 (1.2345 to 1.2345)');
    expect(text).toContain('peer: python');
    expect(text).toContain('caveat: The computer was busy.');
  });
});
