import { CommanderError } from 'commander';
import { explain } from './errors/explain.ts';
import { EXIT } from './exit-codes.ts';
import { keepIgnoring } from './ignored-signals.ts';
import { processOutput } from './process-output.ts';
import { createProgram } from './program.ts';

/** Does what the command line of this process says, and leaves its exit code to the process. */
export async function main(): Promise<void> {
  keepIgnoring();
  const output = processOutput();
  process.once('uncaughtException', (error) => {
    // Node would print what hosts and guests said just as they said it.
    output.writeError(`${explain(error, { debug: true })}\n`);
    process.exit(EXIT.failed);
  });
  try {
    await createProgram(output).parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      output.writeError(`${explain(error, { debug: process.argv.includes('--debug') })}\n`);
      process.exitCode = EXIT.failed;
      return;
    }
    // Commander says 1 for what is wrong with a command line; here 1 is for work that failed.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}
