import { writeSync } from 'node:fs';
import { EXIT } from './exit-codes.ts';
import { type Output, terminalText } from './output.ts';
import { isBrokenPipe } from './run/standard-output.ts';

/**
 * Where this process writes. A reader that goes away, as in `warmvm doctor | head`, takes nothing from the work: what was begun is done and cleaned up,
 * unheard, and only then the exit code tells, unless it has worse to tell.
 */
export function processOutput(): Output {
  let problem: unknown;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      problem ??= error;
    });
  }
  process.once('exit', () => {
    if (problem === undefined || (process.exitCode ?? EXIT.ok) !== EXIT.ok) return;
    process.exitCode = isBrokenPipe(problem) ? EXIT.brokenPipe : EXIT.failed;
    if (!isBrokenPipe(problem)) complain(problem);
  });
  return {
    write: (text) => void process.stdout.write(terminalText(text, process.stdout.isTTY === true)),
    writeError: (text) => void process.stderr.write(terminalText(text, process.stderr.isTTY === true)),
  };
}

/** At the end nothing can be waited for. */
function complain(problem: unknown): void {
  try {
    writeSync(2, `error: not all of the output could be written: ${(problem as Error).message}\n`);
  } catch {
    // It was this that could not be written to.
  }
}
