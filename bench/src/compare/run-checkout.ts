import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemCommandRunner } from '@warmvm/local-host';

/** A run of a checkout's own bench app. */
export interface CheckoutRun {
  readonly checkout: string;
  /** Names of suites; none means all. */
  readonly suites: readonly string[];
  readonly drivers: readonly string[];
  readonly samples?: number | undefined;
  /** Where the result goes. */
  readonly json: string;
  /** Folder that paths of drivers are meant from. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Runs it in a process of its own. @throws Error with what it printed when it failed; the signal's reason */
export async function runCheckout(run: CheckoutRun): Promise<void> {
  const { checkout, suites, drivers, samples, json, folder, signal, onLine } = run;
  const { exitCode, output } = await systemCommandRunner.run(
    [
      'env',
      '-C',
      folder,
      process.execPath,
      '--conditions=@warmvm/source',
      ...programOf(checkout),
      ...suites,
      ...drivers.flatMap((driver) => ['--driver', driver]),
      ...(samples === undefined ? [] : ['--samples', String(samples)]),
      '--json',
      json,
    ],
    { signal, onLine },
  );
  if (exitCode !== 0) throw new Error(`the bench app of ${checkout} ended with ${exitCode}:\n${output.slice(-4000)}`);
}

/** Commits from before the bench was a command of the command line have a program of its own. */
function programOf(checkout: string): readonly string[] {
  const former = join(checkout, 'bench/src/main.ts');
  return existsSync(former) ? [former] : [join(checkout, 'apps/cli/src/main.ts'), 'bench'];
}
