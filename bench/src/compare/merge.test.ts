import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../fixtures/results.ts';
import type { BenchResult } from '../result/bench-result.ts';
import { parseResult } from '../result/result-file.ts';
import { mergeRuns } from './merge.ts';

function run(samples: readonly number[]): BenchResult {
  return benchResult([
    suiteResult((recorder) => {
      for (const sample of samples) {
        recorder.add('ours', sample);
        recorder.add('theirs', sample * 2);
        recorder.stages('reset', { reset: sample, agent: 1 });
      }
      recorder.ratio('ours to theirs', 'ours', 'theirs');
      recorder.pairedRatio('pair by pair', 'ours', 'theirs');
      recorder.caveat('Busy.');
    }),
  ]);
}

describe('mergeRuns', () => {
  const merged = mergeRuns([run([1, 2, 3]), run([4, 5])]);
  const [suite] = merged.suites;

  test('keeps which samples came from which process', () => {
    expect(suite?.figures.ours).toMatchObject({ samples: [1, 2, 3, 4, 5], blocks: [3, 2], p50: 3, max: 5 });
    expect(suite?.ladders.reset).toEqual({ reset: [1, 2, 3, 4, 5], agent: [1, 1, 1, 1, 1] });
  });

  test('divides anew, and says each caveat once', () => {
    expect(suite?.ratios['ours to theirs']).toMatchObject({ value: 0.5, method: 'medians' });
    expect(suite?.ratios['pair by pair']).toMatchObject({ value: 0.5, method: 'pairs' });
    expect(suite?.caveats).toEqual(['Busy.']);
    expect(suite?.environment.garbage.count).toBe(2);
  });

  test('is a result that can be written and read back', () => {
    expect(parseResult(JSON.stringify(merged), 'merged')).toEqual(merged);
  });

  test('refuses to merge nothing', () => {
    expect(() => mergeRuns([])).toThrow('no run to merge');
  });
});
