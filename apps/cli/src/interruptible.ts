import { systemClock } from '@warmvm/core';
import { ConfigError } from './config/config-error.ts';
import { EXIT } from './exit-codes.ts';
import { explain } from './explain.ts';
import type { Output } from './output.ts';

/** The longest that a timer can be set for. */
const LONGEST_RUN_MS = 2 ** 31 - 1;

/**
 * Runs a command whose work is given up by Ctrl-C, and which then takes back what it made. Resolves with the exit code: that of the
 * work, `exitCodeOfTrouble` when it failed, 2 for a mistake of the person who asked, 130 when it was interrupted. Errors are printed with their causes.
 */
export async function runInterruptibly(
  output: Output,
  work: (signal: AbortSignal) => Promise<number>,
  exitCodeOfTrouble: number = EXIT.failed,
): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    if (interruption.signal.aborted) return;
    output.writeError('\ninterrupted: destroying what was made\n');
    interruption.abort(new Error('interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  // A pool lets its process end when nobody waits for it; this process waits for the whole job.
  const hold = systemClock.setTimer(() => {}, LONGEST_RUN_MS);
  try {
    return await work(interruption.signal);
  } catch (error) {
    // Anything but the interruption itself is a failure to clean up, and must not be kept quiet.
    if (error === interruption.signal.reason) return EXIT.interrupted;
    output.writeError(`${explain(error)}\n`);
    if (interruption.signal.aborted) return EXIT.interrupted;
    return error instanceof ConfigError ? EXIT.usage : exitCodeOfTrouble;
  } finally {
    hold.cancel();
    for (const signal of signals) process.off(signal, interrupt);
  }
}
