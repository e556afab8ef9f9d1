import { readFile } from 'node:fs/promises';
import { systemClock } from '@warmvm/core';
import { CommanderError } from 'commander';
import { parseRequest } from './program.ts';
import { requireWritableOutputs, writeOutputs } from './report/outputs.ts';
import { styleFor } from './report/terminal/style.ts';
import { closingText } from './report/terminal/summary.ts';
import { viewFor } from './report/terminal/view.ts';
import { runSuites } from './run.ts';
import { parseTargets } from './targets.ts';

const LONGEST_RUN_MS = 2 ** 31 - 1;
const TARGETS = new URL('../targets.json', import.meta.url);

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}
const write = (text: string): void => void process.stdout.write(text);
// Pools let their process end while they wait.
const hold = systemClock.setTimer(() => {}, LONGEST_RUN_MS);
try {
  const { json, html, markdown, ...request } = parseRequest(process.argv.slice(2), write);
  const outputs = { json, html, markdown };
  await requireWritableOutputs(outputs);
  const targets = parseTargets(await readFile(TARGETS, 'utf8'), 'bench/targets.json');
  const view = viewFor(process.stdout, systemClock);
  const { signal } = interruption;
  const result = await runSuites({ ...request, targets, signal, onProgress: view.listen }).finally(() => view.close());
  write(`${closingText(result, styleFor(process.stdout))}\n`);
  for (const file of await writeOutputs(result, outputs)) write(`written to ${file}\n`);
} catch (error) {
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
  if (!(error instanceof CommanderError)) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
} finally {
  hold.cancel();
}
