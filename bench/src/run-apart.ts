import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCommandRunner } from '@warmvm/local-host';
import { mergeRuns } from './compare/merge.ts';
import { programWords } from './package-files.ts';
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

/** What one process is told, as JSON. */
export interface ApartTask extends Pick<ApartRun, 'driver' | 'folder'> {
  /** Names; none means all that the driver can run. */
  readonly suites: readonly string[];
  /** @default each suite's own */
  readonly samples?: number | undefined;
  /** Where its result goes. */
  readonly json: string;
}

/**
 * Runs a suite in several processes, one after the other: processes of the same code differ by more than the samples of each, so
 * that one process alone says less than its many samples seem to.
 * @throws Error with what a process printed when it failed; the signal's reason
 */
export async function runApart(run: ApartRun): Promise<SuiteResult> {
  const { suite, driver, processes, folder, signal, onRound } = run;
  const samples = Math.ceil(run.samples / processes);
  const results = await mkdtemp(join(tmpdir(), 'warmvm-bench-apart-'));
  try {
    const runs: BenchResult[] = [];
    for (let done = 0; done < processes; done += 1) {
      const json = join(results, `${done}.json`);
      await runTask({ suites: [suite], driver, samples, folder, json }, { signal });
      runs.push(await readResult(json));
      onRound(done + 1, processes);
    }
    return mergeRuns(runs).suites[0]!;
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

/** Runs suites in a process of their own. @throws Error with what it printed when it failed; the signal's reason */
export async function runTask(
  task: ApartTask,
  options: { readonly signal: AbortSignal; readonly onLine?: (line: string) => void },
): Promise<void> {
  const words = [process.execPath, ...programWords('run-apart-main'), JSON.stringify(task)] as const;
  const { exitCode, output } = await systemCommandRunner.run(['env', '-C', task.folder, ...words], options);
  if (exitCode === 0) return;
  const what = [...task.suites, `driver ${task.driver}`].join(', ');
  throw new Error(`a process of ${what} ended with ${exitCode}:\n${output.slice(-4000)}`);
}
