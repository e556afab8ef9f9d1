import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeRuns } from './compare/merge.ts';
import { runCheckout } from './compare/run-checkout.ts';
import type { BenchResult } from './result/bench-result.ts';
import { readResult } from './result/result-file.ts';
import type { SuiteResult } from './result/suite-result.ts';

/** A suite that is spread over processes. */
export interface ApartRun {
  readonly suite: string;
  readonly driver: string;
  /** Of all processes together. */
  readonly samples: number;
  readonly processes: number;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onRound: (done: number, of: number) => void;
}

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/**
 * Runs a suite in several processes, one after the other: processes of the same code differ by more than the samples of each, so
 * that one process alone says less than its many samples seem to.
 */
export async function runApart(run: ApartRun): Promise<SuiteResult> {
  const { suite, driver, processes, folder, signal, onRound } = run;
  const samples = Math.ceil(run.samples / processes);
  const results = await mkdtemp(join(tmpdir(), 'warmvm-bench-apart-'));
  try {
    const runs: BenchResult[] = [];
    for (let done = 0; done < processes; done += 1) {
      const json = join(results, `${done}.json`);
      const extra = ['--in-process'];
      const onLine = (): void => {};
      await runCheckout({
        checkout: REPOSITORY,
        names: [suite],
        drivers: [driver],
        samples,
        json,
        extra,
        folder,
        signal,
        onLine,
      });
      runs.push(await readResult(json));
      onRound(done + 1, processes);
    }
    return mergeRuns(runs).suites[0]!;
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}
