import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, type Guest, isWarmvmError, type Lease, type Pool } from '@warmvm/core';
import { commandOf, type Job } from './job.ts';
import { JobLog } from './job-log.ts';
import type { JobReport, Outcome, StepReport } from './report.ts';

/** Files in and out may take this long beside the steps. */
const COPYING_MS = 120_000;
const MOST_ARTIFACT_BYTES = 256 * 2 ** 20;

/** What every job is run with. */
export interface JobScene {
  readonly pool: Pool;
  /** Folder that files of jobs are meant from. */
  readonly folder: string;
  /** Folder that artifacts go to, in one of the job's name. */
  readonly results: string;
  readonly write: (text: string) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Why a job did not pass. */
class JobFailure extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JobFailure';
    this.outcome = outcome;
  }
}

/**
 * Runs one job in a machine that nobody had before. What goes wrong is in the report.
 * @throws the signal's reason
 */
export async function runJob(job: Job, scene: JobScene): Promise<JobReport> {
  const { pool, clock, signal, write } = scene;
  const log = new JobLog(job.name, write);
  const steps: StepReport[] = [];
  const artifacts: string[] = [];
  const wantedAt = clock.now();
  let machineId: string | null = null;
  let lentAt = wantedAt;
  let failure: JobFailure | undefined;
  try {
    const lease = await pool.acquire({ signal, leaseMs: job.timeoutMs + COPYING_MS });
    machineId = lease.machineId;
    lentAt = clock.now();
    try {
      failure = await runWithMachine(job, scene, lease, { log, steps, artifacts });
    } finally {
      await lease.release();
    }
  } catch (error) {
    signal.throwIfAborted();
    failure = asFailure(error);
  }
  const endedAt = clock.now();
  const { outcome = 'passed', message = '' } = failure ?? {};
  await log.say(`${outcome}${message === '' ? '' : `: ${message}`}`);
  return {
    name: job.name,
    outcome,
    message,
    waitedMs: Math.round(lentAt - wantedAt),
    durationMs: Math.round(endedAt - lentAt),
    machineId,
    steps,
    artifacts,
    tail: log.tail,
  };
}

/** What fills while a job runs. */
interface Progress {
  readonly log: JobLog;
  readonly steps: StepReport[];
  readonly artifacts: string[];
}

/** Resolves with why the job did not pass. @throws the reason of either signal; what the host throws */
async function runWithMachine(
  job: Job,
  scene: JobScene,
  lease: Lease,
  { log, steps, artifacts }: Progress,
): Promise<JobFailure | undefined> {
  const signal = AbortSignal.any([scene.signal, lease.signal]);
  const { guest } = lease;
  await copyIn(job, scene.folder, guest, signal);
  const failure = await runSteps(job, { guest, clock: scene.clock, signal }, log, steps).catch((error) => {
    signal.throwIfAborted();
    return asFailure(error);
  });
  for (const [name, path] of Object.entries(job.artifacts)) {
    const content = await guest.readFile(path, { signal, maxBytes: MOST_ARTIFACT_BYTES }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) throw error;
      return undefined;
    });
    if (content === undefined) {
      // Of a job that has failed already, that is the news.
      if (failure === undefined) return new JobFailure('failed', `there is no ${path} to keep as ${name}`);
      continue;
    }
    const file = join(scene.results, job.name, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    artifacts.push(name);
  }
  return failure;
}

async function copyIn({ files }: Job, folder: string, guest: Guest, signal: AbortSignal): Promise<void> {
  for (const [name, path] of Object.entries(files)) {
    const content = await readFile(join(folder, name)).catch((cause: Error) => {
      throw new JobFailure('error', `${name} cannot be read: ${cause.message}`, { cause });
    });
    await guest.writeFile(path, content, { signal });
  }
}

async function runSteps(
  { steps, environment, timeoutMs }: Job,
  { guest, clock, signal }: { readonly guest: Guest; readonly clock: Clock; readonly signal: AbortSignal },
  log: JobLog,
  reports: StepReport[],
): Promise<JobFailure | undefined> {
  const dueAt = clock.now() + timeoutMs;
  for (const step of steps) {
    const command = commandOf(step);
    const startedAt = clock.now();
    let exitCode: number | null = null;
    try {
      const ended = await guest.exec(command, {
        environment,
        timeoutMs: Math.max(1, Math.ceil(dueAt - startedAt)),
        onOutput: (bytes, stream) => log.output(bytes, stream),
        signal,
      });
      exitCode = ended.exitCode ?? 128 + (ended.signal ?? 0);
    } catch (error) {
      if (!isWarmvmError(error) || error.details.timedOut !== true) throw error;
      return new JobFailure('timed-out', `not done after ${timeoutMs} ms`, { cause: error });
    } finally {
      await log.flush();
      reports.push({ command, exitCode, durationMs: Math.round(clock.now() - startedAt) });
    }
    if (exitCode !== 0) return new JobFailure('failed', `${command.join(' ')} ended with ${exitCode}`);
  }
  return undefined;
}

function asFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return error;
  const code = isWarmvmError(error) ? `${error.code}: ` : '';
  return new JobFailure('error', `${code}${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
