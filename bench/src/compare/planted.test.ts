import { describe, expect, test } from 'vitest';
import { noisyDurations } from '../fixtures/noise.ts';
import { benchResult, suiteResult } from '../fixtures/results.ts';
import { slowResets } from '../fixtures/slowed-driver.ts';
import { runVirtually } from '../fixtures/virtual-run.ts';
import { decideGate } from '../gate.ts';
import { openFakeHost } from '../host/fake-host.ts';
import { resetSuite } from '../reset/suite.ts';
import type { BenchResult } from '../result/bench-result.ts';
import { compareResults } from './compare.ts';

const LABELS = { baseLabel: 'base.json', currentLabel: 'this run' };

/** The reset suite on the fake, whose resets scatter as real ones do; with what was planted. */
async function run(seed: number, factor = 1): Promise<BenchResult> {
  const durations = noisyDurations(seed, { count: 100, middle: 300, scatter: 0.08 });
  const recording = await runVirtually(resetSuite, 20, (clock) => {
    const host = openFakeHost(clock, {
      resetMs: ({ attempt }) => durations[attempt % durations.length]!,
      guestMs: 5,
    });
    return factor === 1 ? host : { ...host, driver: async () => slowResets(await host.driver(), factor, clock) };
  });
  return benchResult([suiteResult(() => {}, recording)]);
}

describe('a slowdown of 20 % that a wrapper plants in the resets of a driver', () => {
  test('is called and closes the gate, in each of ten repetitions', async () => {
    for (let repetition = 0; repetition < 10; repetition += 1) {
      const comparison = compareResults(await run(repetition), await run(100 + repetition, 1.2), LABELS);
      const { passed, reasons } = decideGate([], comparison);
      expect(passed).toBe(false);
      expect(reasons.join('\n')).toMatch(/to ready' of reset on libvirt is worse: .*\(\+[\d.]+ %; \+\d/);
    }
  });

  test('is not called where nothing was planted, in ten repetitions', async () => {
    const reasons: string[] = [];
    for (let repetition = 0; repetition < 10; repetition += 1) {
      const comparison = compareResults(await run(repetition), await run(200 + repetition), LABELS);
      reasons.push(...decideGate([], comparison).reasons);
    }
    expect(reasons).toEqual([]);
  });
});
