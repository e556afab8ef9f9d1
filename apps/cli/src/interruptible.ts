import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '@warmvm/core/driver';
import { ConfigError } from './config/config-error.ts';
import { explain } from './errors/explain.ts';
import { EXIT } from './exit-codes.ts';
import { ignoredSignals } from './ignored-signals.ts';
import type { Output } from './output.ts';

/** The longest that a timer can be set for. */
const LONGEST_RUN_MS = 2 ** 31 - 1;

/** Signals closer together come from one key: a package runner hands on what the terminal has sent already. */
const ONE_KEY_MS = 400;

/** What {@link runInterruptibly} does otherwise. */
export interface InterruptOptions {
  /** Exit code of a failure. @default 1 */
  readonly trouble?: number;
  /** What is said at the first Ctrl-C. @default that what was made is destroyed */
  readonly words?: string;
  /** Its end interrupts as a signal does, for it comes with the end of whoever holds the other side. It is read, and closed in the end. @default none */
  readonly lifeline?: Readable;
  /** Ends the process on the second Ctrl-C; replaced in tests. @default process.exit */
  readonly exit?: (exitCode: number) => void;
  /** @default the real clock */
  readonly clock?: Clock;
}

/**
 * Runs a command whose work is given up by Ctrl-C, and which then takes back what it made; a second Ctrl-C ends the process at once.
 * Resolves with the exit code: that of the work, `trouble` when it failed, 2 for a mistake of the person who asked, 130 when it was
 * interrupted. Errors are printed with their causes.
 */
export async function runInterruptibly(
  output: Output,
  work: (signal: AbortSignal) => Promise<number>,
  {
    trouble = EXIT.failed,
    words = 'interrupted: destroying what was made (Ctrl-C again: leave at once)',
    exit = (exitCode) => process.exit(exitCode),
    lifeline,
    clock = systemClock,
  }: InterruptOptions = {},
): Promise<number> {
  const interruption = new AbortController();
  let firstAtMs = 0;
  const interrupt = (): void => {
    if (interruption.signal.aborted) return;
    firstAtMs = clock.now();
    output.writeError(`\n${words}\n`);
    interruption.abort(new Error('interrupted'));
  };
  const interruptByKey = (): void => {
    if (interruption.signal.aborted && clock.now() - firstAtMs > ONE_KEY_MS) {
      output.writeError('\nleft at once; what is still there is removed by: warmvm sweep\n');
      exit(EXIT.interrupted);
    } else interrupt();
  };
  const listeners = { SIGINT: interruptByKey, SIGTERM: interrupt, SIGHUP: interrupt };
  const heard = Object.entries(listeners).filter(([signal]) => !ignoredSignals().has(signal));
  for (const [signal, listener] of heard) process.on(signal, listener);
  lifeline?.on('error', interrupt).on('end', interrupt).resume();
  // A pool lets its process end when nobody waits for it; this process waits for the whole job.
  const hold = systemClock.setTimer(() => {}, LONGEST_RUN_MS);
  try {
    return await work(interruption.signal);
  } catch (error) {
    // Anything but the interruption itself is a failure to clean up, and must not be kept quiet.
    if (error === interruption.signal.reason) return EXIT.interrupted;
    output.writeError(`${explain(error, output)}\n`);
    if (interruption.signal.aborted) return EXIT.interrupted;
    return error instanceof ConfigError ? EXIT.usage : trouble;
  } finally {
    hold.cancel();
    lifeline?.off('end', interrupt).destroy();
    for (const [signal, listener] of heard) process.off(signal, listener);
  }
}
