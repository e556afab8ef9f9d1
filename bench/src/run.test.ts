import { describe, expect, test } from 'vitest';
import type { BenchProgress } from './progress.ts';
import type { BenchResult } from './result/bench-result.ts';
import { parseResult } from './result/result-file.ts';
import { runSuites } from './run.ts';
import { suitesNamed } from './suites.ts';
import type { Target } from './targets.ts';

const asked = { suites: suitesNamed(['acquire']), named: true, drivers: ['fake'], folder: '/' };
const target: Target = {
  id: 'acquire-5',
  suite: 'acquire',
  figure: 'acquire-5',
  what: 'five leases at once',
  statistic: 'p99',
  unit: 'ms',
  better: 'lower',
  stated: '< 200 ms',
  statedBound: 200,
  floor: 5000,
  goal: null,
};

describe('runSuites', () => {
  const progress: BenchProgress[] = [];
  async function run(samples: number): Promise<BenchResult> {
    progress.length = 0;
    const { signal } = new AbortController();
    return runSuites({ ...asked, samples, targets: [target], signal, onProgress: (event) => progress.push(event) });
  }

  test('keeps every sample and what it was taken in', async () => {
    const result = await run(20);
    const [suite] = result.suites;
    expect(suite).toMatchObject({ suite: 'acquire', driver: 'fake', environment: { node: process.version } });
    expect(suite?.figures.acquire?.samples).toHaveLength(20);
    expect(suite?.figures['acquire-5']?.samples).toHaveLength(20);
    expect(parseResult(JSON.stringify(result), 'the result')).toEqual(result);
  });

  test('proves that a warm acquire waits for no turn of the event loop', async () => {
    const { suites: results } = await run(20);
    expect(results[0]?.facts).toMatchObject({
      'acquires that waited for a turn of the event loop (I/O or timer)': 0,
    });
  });

  test('notes which warmvm was measured', async () => {
    expect((await run(5)).version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('tells where it is: the plan first, each suite, and its rounds', async () => {
    await run(5);
    expect(progress.map(({ type }) => type)).toEqual(['run-started', 'suite-started', 'rounds', 'suite-ended']);
    expect(progress[0]).toEqual({ type: 'run-started', suites: [{ suite: 'acquire', driver: 'fake' }] });
  });

  test('tells what a driver leaves out where all suites were meant, and refuses what was named', async () => {
    const { signal } = new AbortController();
    const reset = { ...asked, suites: suitesNamed(['density']), targets: [], signal };
    const told: BenchProgress[] = [];
    await runSuites({ ...reset, named: false, onProgress: (event) => told.push(event) });
    expect(told[0]).toMatchObject({ type: 'suite-left-out', suite: 'density', driver: 'fake' });
    await expect(runSuites({ ...reset, onProgress: () => {} })).rejects.toThrow(
      'suite density cannot be run with driver',
    );
  });

  test('ends with the reason of its signal', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(runSuites({ ...asked, targets: [], signal, onProgress: () => {} })).rejects.toBe(reason);
  });
});
