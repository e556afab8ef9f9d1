import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { processOutput } from './process-output.ts';
import { createProgram } from './program.ts';

/** Does what the command line of this process says, and leaves its exit code to the process. */
export async function main(): Promise<void> {
  try {
    await createProgram(processOutput()).parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander says 1 for what is wrong with a command line; here 1 is for work that failed.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}
