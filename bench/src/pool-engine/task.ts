import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { WarmvmError } from '@warmvm/core';
import { childEnvironment } from '@warmvm/core/driver';
import { programWords } from '../package-files.ts';
import type { Course, Finish } from './race.ts';

/** What a process of its own is made to measure. */
export type Task =
  /** Among all pools; or ours, this peer and the least program. */
  | { readonly kind: 'race'; readonly course: Course; readonly besideLeast?: string }
  | { readonly kind: 'heap'; readonly contender: string; readonly waiters: number; readonly deadlineMs: number }
  | { readonly kind: 'deadlines'; readonly contender: string; readonly waiters: number };

/** What a {@link Task} found, by its kind. */
export interface Findings {
  readonly race: readonly Finish[];
  readonly heap: { readonly bytesPerWaiter: number };
  readonly deadlines: { readonly cpuMs: number; readonly clockMs: number };
}

const LARGEST_OUTPUT_BYTES = 16 * 1024 * 1024;
const run = promisify(execFile);

/**
 * Measures in a new process, so that nothing of what ran before is on its heap or in its compiled code.
 * @throws WARMVM_HOST_OPERATION with what the process said; the signal's reason
 */
export async function measureApart<Kind extends Task['kind']>(
  task: Task & { readonly kind: Kind },
  signal: AbortSignal,
): Promise<Findings[Kind]> {
  signal.throwIfAborted();
  const args = ['--expose-gc', ...programWords('pool-engine/task-main'), JSON.stringify(task)];
  try {
    const { stdout } = await run(process.execPath, args, {
      env: childEnvironment(),
      signal,
      maxBuffer: LARGEST_OUTPUT_BYTES,
    });
    return JSON.parse(stdout) as Findings[Kind];
  } catch (error) {
    signal.throwIfAborted();
    throw new WarmvmError('WARMVM_HOST_OPERATION', `the process that measures ${task.kind} failed`, { cause: error });
  }
}
