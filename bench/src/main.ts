import { systemClock } from '@warmvm/core';
import { CommanderError } from 'commander';
import { parseRequest } from './program.ts';
import { runSuites } from './run.ts';

const LONGEST_RUN_MS = 2 ** 31 - 1;

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}
const write = (text: string): void => void process.stdout.write(text);
// Pools let their process end while they wait.
const hold = systemClock.setTimer(() => {}, LONGEST_RUN_MS);
try {
  const request = parseRequest(process.argv.slice(2), write);
  await runSuites({ ...request, signal: interruption.signal, write });
} catch (error) {
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
  if (!(error instanceof CommanderError)) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
} finally {
  hold.cancel();
}
