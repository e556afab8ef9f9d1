import { describe, expect, test } from 'vitest';
import { noisyDurations } from '../fixtures/noise.ts';
import { benchResult, ENVIRONMENT, suiteResult } from '../fixtures/results.ts';
import { decideGate } from '../gate.ts';
import type { BenchResult } from '../result/bench-result.ts';
import type { Comparison } from '../result/comparison.ts';
import { significant } from '../result/figure.ts';
import { compareResults } from './compare.ts';

const LABELS = { baseLabel: 'base.json', currentLabel: 'this run' };

/** A run of a suite with figures of 20 samples each, of which the first takes `factor` times as long. */
function run(seed: number, factor = 1, figures = 12): BenchResult {
  const middles = Array.from({ length: figures }, (_, index) => 3 ** (index - 4));
  return benchResult([
    suiteResult((recorder) => {
      for (const [index, middle] of middles.entries()) {
        const durations = noisyDurations(seed * 1000 + index, {
          count: 20,
          middle: index === 0 ? middle * factor : middle,
        });
        for (const duration of durations) recorder.add(`figure ${index}`, duration);
      }
    }),
  ]);
}

function calls(comparison: Comparison): readonly string[] {
  return comparison.figures.filter(({ call }) => call === 'better' || call === 'worse').map(({ sentence }) => sentence);
}

describe('compareResults', () => {
  test('calls nothing in ten repetitions of the same code', () => {
    const called = Array.from({ length: 10 }, (_, index) =>
      calls(compareResults(run(2 * index), run(2 * index + 1), LABELS)),
    );
    expect(called.flat()).toEqual([]);
  });

  test('calls a slowdown of 20 % in each of ten repetitions, and nothing else', () => {
    for (let repetition = 0; repetition < 10; repetition += 1) {
      const comparison = compareResults(run(100 + repetition), run(200 + repetition, 1.2), LABELS);
      expect(calls(comparison)).toEqual([expect.stringMatching(/^'figure 0' of reset on libvirt is worse: /)]);
      expect(comparison.call).toBe('worse');
      expect(decideGate([], comparison)).toEqual({ passed: false, reasons: calls(comparison) });
    }
  });

  test('calls no change of 5 %, however significant', () => {
    const many = (seed: number, middle: number) =>
      benchResult([
        suiteResult((recorder) => {
          for (const duration of noisyDurations(seed, { count: 2000, middle, process: 0 })) recorder.add('x', duration);
        }),
      ]);
    const { figures } = compareResults(many(1, 1), many(2, 1.05), LABELS);
    expect(figures[0]).toMatchObject({ call: 'unchanged' });
    expect(figures[0]?.p).toBeLessThan(0.001);
  });

  test('takes more of what should be high for better', () => {
    const flow = (seed: number, middle: number) =>
      benchResult([
        suiteResult((recorder) => {
          for (const value of noisyDurations(seed, { count: 20, middle })) recorder.add('flow', value, 'calls/s');
        }),
      ]);
    expect(compareResults(flow(1, 100), flow(2, 150), LABELS).call).toBe('better');
    expect(compareResults(flow(1, 150), flow(2, 100), LABELS).call).toBe('worse');
  });

  test('says nothing is known from too few samples, whatever they look like', () => {
    const few = (value: number) =>
      benchResult([
        suiteResult((recorder) => {
          for (let count = 0; count < 3; count += 1) recorder.add('x', value + count / 100);
        }),
      ]);
    const { figures, call } = compareResults(few(1), few(9), LABELS);
    expect(call).toBe('undecided');
    expect(figures[0]).toMatchObject({ low: significant(9 / 1.02), high: 9.02 });
    expect(compareResults(few(1), few(1.01), LABELS).call).toBe('undecided');
  });

  test('does not take the difference between processes for one of the code', () => {
    // Each process has a median of its own; five blocks of either side hide no difference of the code.
    const blocks = (seed: number) => {
      const values = [0, 1, 2, 3, 4].flatMap((block) =>
        noisyDurations(seed * 10 + block, { count: 200, middle: 1, process: 0.15 }),
      );
      const result = suiteResult((recorder) => {
        for (const value of values) recorder.add('x', value);
      });
      const figures = { x: { ...result.figures.x!, blocks: [200, 200, 200, 200, 200] } };
      return benchResult([{ ...result, figures }]);
    };
    const called = Array.from({ length: 10 }, (_, index) =>
      calls(compareResults(blocks(2 * index + 1), blocks(2 * index + 2), { ...LABELS, interleaved: true })),
    );
    expect(called.flat()).toEqual([]);
  });

  test('names what only one of them has', () => {
    const comparison = compareResults(run(1, 1, 3), run(2, 1, 2), LABELS);
    expect(comparison).toMatchObject({ onlyInBase: ['reset libvirt figure 2'], onlyInCurrent: [] });
  });

  test('refuses results of different hosts, says what differs, and can be told to go on', () => {
    const base = run(1);
    const other = { ...ENVIRONMENT, acceleration: 'kvm', cpuCount: 8 };
    const current = benchResult(run(2).suites.map((suite) => ({ ...suite, environment: other })));
    expect(() => compareResults(base, current, LABELS)).toThrow(
      /different hosts[\s\S]*The acceleration was tcg, is kvm\.\n {2}The number of CPUs was 2, is 8\.[\s\S]*--across-hosts/,
    );
    const { differences } = compareResults(base, current, { ...LABELS, acrossHosts: true });
    expect(differences).toEqual(['The acceleration was tcg, is kvm.', 'The number of CPUs was 2, is 8.']);
  });

  test('does not compare counts, nor what was nothing before', () => {
    const leaks = (count: number) =>
      benchResult([
        suiteResult((recorder) => {
          recorder.add('leaked', count, 'count');
          for (let time = 0; time < 5; time += 1) recorder.add('nothing', 0);
        }),
      ]);
    expect(() => compareResults(leaks(0), leaks(3), LABELS)).toThrow('no figure in common');
  });
});
