import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../bench/src/fixtures/results.ts';
import { benchTables } from './bench-figures.ts';

const target = {
  id: 'reset-running',
  suite: 'reset',
  figure: 'in place',
  what: 'a reset | until it runs',
  statistic: 'p50',
  unit: 'ms',
  better: 'lower',
  stated: null,
  statedBound: null,
  floor: 100,
  goal: 60,
} as const;

function run(milliseconds: number) {
  return { file: 'a.json', run: benchResult([suiteResult((recorder) => recorder.add('in place', milliseconds))]) };
}

describe('benchTables', () => {
  test('has a row for each target of the suites that ran, with a word on it', () => {
    const table = benchTables([run(50)], [target]);
    expect(table).toContain('### `libvirt`');
    expect(table).toContain('`reset`: [a.json](baselines/a.json), 2026-11-01, QEMU 7.2.22, libvirt 9.0.0, tcg');
    expect(table).toMatch(
      /\| `reset-running` \| a reset \\\| until it runs \| +\| ≤ 100 ms \| ≤ 60 ms \| p50 50 ms \| 1 \| [^|*]+ \|/,
    );
  });

  test('says loudly that a floor is missed, by the targets of today', () => {
    expect(benchTables([run(101)], [target])).toMatch(/\| p50 101 ms \| 1 \| \*\*[^*]+\*\* \|/);
  });
});
