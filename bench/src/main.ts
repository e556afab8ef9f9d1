import { systemClock } from '@warmvm/core';
import { CommanderError } from 'commander';
import { runInterruptibly } from 'warmvm/measure';
import { bench } from './bench.ts';
import { parseRequest } from './program.ts';
import { styleFor } from './report/terminal/style.ts';
import { viewFor } from './report/terminal/view.ts';

const write = (text: string): void => void process.stdout.write(text);
try {
  const request = parseRequest(process.argv.slice(2), write);
  const output = { write, writeError: (text: string): void => void process.stderr.write(text) };
  const view = viewFor(process.stdout, systemClock);
  const style = styleFor(process.stdout);
  process.exitCode = await runInterruptibly(output, (signal) =>
    bench(request, { signal, write, view, style, folder: process.cwd() }),
  );
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}
