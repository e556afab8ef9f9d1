import { join } from 'node:path';
import { systemCommandRunner } from 'warmvm/measure';

/** A run of a checkout's own bench app. */
export interface CheckoutRun {
  readonly checkout: string;
  /** Names of suites; none means all. */
  readonly names: readonly string[];
  readonly drivers: readonly string[];
  readonly samples?: number | undefined;
  /** Where the result goes. */
  readonly json: string;
  /** Further options of the bench app. */
  readonly extra?: readonly string[];
  /** Folder that paths of drivers are meant from. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Runs it in a process of its own. @throws Error with what it printed when it failed; the signal's reason */
export async function runCheckout(run: CheckoutRun): Promise<void> {
  const { checkout, names, drivers, samples, json, extra = [], folder, signal, onLine } = run;
  const { exitCode, output } = await systemCommandRunner.run(
    [
      'env',
      '-C',
      folder,
      process.execPath,
      '--conditions=@warmvm/source',
      join(checkout, 'bench/src/main.ts'),
      ...names,
      ...drivers.flatMap((driver) => ['--driver', driver]),
      ...(samples === undefined ? [] : ['--samples', String(samples)]),
      '--json',
      json,
      ...extra,
    ],
    { signal, onLine },
  );
  if (exitCode !== 0) throw new Error(`the bench app of ${checkout} ended with ${exitCode}:\n${output.slice(-4000)}`);
}
