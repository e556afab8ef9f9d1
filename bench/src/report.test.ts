import { describe, expect, test } from 'vitest';
import { figureTable, targetTable } from './report.ts';
import type { SuiteResult } from './suite.ts';
import type { Target } from './targets.ts';

const result = {
  suite: 'rpc',
  figures: { flow: { unit: 'calls/s', samples: [10, 20, 30], p50: 20, p95: 30, p99: 30, max: 30 } },
  ratios: { 'ours to theirs': 1.2345 },
  facts: { peer: 'python' },
} as unknown as SuiteResult;

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
    expect(targetTable([result], [target])).toMatch(/rpc .*<= 1\.1 .*1\.23 .*FLOOR MISSED/);
  });

  test('shows each figure in its unit, and ratios and facts below', () => {
    const text = figureTable(result);
    expect(text).toMatch(/flow .* 3 .*20\/s.*30\/s/);
    expect(text).toContain('ours to theirs: 1.2345');
    expect(text).toContain('peer: python');
  });
});
