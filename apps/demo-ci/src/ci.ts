import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '@warmvm/core';
import { openPool, type Settings } from 'warmvm';
import { JobsError, parseJobs } from './job.ts';
import { junitOf } from './junit.ts';
import type { Summary } from './report.ts';
import { runJobs } from './run-jobs.ts';

/** What {@link runCi} is given. */
export interface CiOptions {
  /** Path of the list of jobs. */
  readonly jobs: string;
  /** Folder that `summary.json`, `junit.xml` and artifacts go to. */
  readonly results: string;
  readonly settings: Settings;
  /** Takes the output of jobs; resolves when more may be written. */
  readonly write: (text: string) => Promise<void>;
  /** Told what is going on before the first job, in words for people. */
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs every job of a list in a clean machine and writes what became of them.
 * @throws JobsError for a list that makes no sense; what keeps the pool from being opened; the signal's reason
 */
export async function runCi({ jobs, results, settings, write, onProgress, signal }: CiOptions): Promise<Summary> {
  const content = await readFile(jobs, 'utf8').catch((cause: Error) => {
    throw new JobsError(`${jobs} cannot be read: ${cause.message}`, { cause });
  });
  const list = parseJobs(content, jobs);
  // Before machines are made: where nothing can be written, there is nothing to run for.
  await mkdir(results, { recursive: true });
  const startedAt = systemClock.now();
  const opened = await openPool(settings, { signal, onProgress });
  try {
    onProgress('making machines');
    await opened.pool.ready({ signal });
    const folder = dirname(resolve(jobs));
    const reports = await runJobs(list, { pool: opened.pool, folder, results, write, clock: systemClock, signal });
    const summary: Summary = {
      schema: 1,
      drivers: settings.drivers.map(({ use }) => use),
      passed: reports.every(({ outcome }) => outcome === 'passed'),
      durationMs: Math.round(systemClock.now() - startedAt),
      jobs: reports,
    };
    await writeFile(join(results, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    await writeFile(join(results, 'junit.xml'), junitOf(summary));
    return summary;
  } finally {
    try {
      for (const { host, machineId } of (await opened.pool.close()).undestroyed) {
        onProgress(`${machineId ?? 'a machine'} is still on ${host}; remove it with: warmvm sweep`);
      }
    } finally {
      await opened[Symbol.asyncDispose]();
    }
  }
}
