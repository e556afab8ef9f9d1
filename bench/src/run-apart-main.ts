// Suites that have a process of their own: runs them, and writes the result where it was told to.
import { systemClock } from '@warmvm/core';
import { writeResult } from './result/result-file.ts';
import { runSuites } from './run.ts';
import type { ApartTask } from './run-apart.ts';
import { suitesNamed } from './suites.ts';

const LONGEST_RUN_MS = 2 ** 31 - 1;

// Pools let their process end while they wait.
const hold = systemClock.setTimer(() => {}, LONGEST_RUN_MS);
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new Error('interrupted')));
}

/** The message and those of its causes, but not what a message has repeated already. */
function reasonsOf(error: unknown): readonly string[] {
  const said: string[] = [];
  for (let next = error; next !== undefined; next = (next as Partial<Error>).cause) {
    const text = next instanceof Error ? next.message : String(next);
    if (!said.some((earlier) => earlier.includes(text))) said.push(text);
  }
  return said;
}

const { suites, driver, samples, folder, json } = JSON.parse(process.argv[2]!) as ApartTask;
try {
  const result = await runSuites({
    suites: suitesNamed(suites),
    named: suites.length > 0,
    drivers: [driver],
    samples,
    targets: [],
    folder,
    signal: interruption.signal,
    onProgress(progress) {
      if (progress.type === 'step') process.stdout.write(`${progress.text}\n`);
      if (progress.type === 'suite-started') process.stdout.write(`${progress.suite}\n`);
    },
  });
  await writeResult(json, result);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${reasonsOf(error).join('\n')}\n`);
}
hold.cancel();
// Signals that are listened to keep nobody alive, and what a driver of somebody else holds must not either.
process.exit();
