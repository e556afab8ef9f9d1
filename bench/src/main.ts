import { readFile } from 'node:fs/promises';
import { systemClock } from '@warmvm/core';
import { CommanderError } from 'commander';
import { plainView } from './plain-view.ts';
import { parseRequest } from './program.ts';
import { writeResult } from './result/result-file.ts';
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
  const { json, ...request } = parseRequest(process.argv.slice(2), write);
  const targets = parseTargets(await readFile(TARGETS, 'utf8'), 'bench/targets.json');
  const result = await runSuites({ ...request, targets, signal: interruption.signal, onProgress: plainView(write) });
  if (json !== undefined) {
    await writeResult(json, result);
    write(`written to ${json}\n`);
  }
} catch (error) {
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
  if (!(error instanceof CommanderError)) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
} finally {
  hold.cancel();
}
