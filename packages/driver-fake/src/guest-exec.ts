import { type Clock, type ExecOptions, type ExecResult, WarmvmError } from '@warmvm/core/driver';
import { ArgumentError } from './errors.ts';
import { guestPath } from './guest-files.ts';
import { inputOf } from './guest-input.ts';
import { GuestOutput } from './guest-output.ts';
import { findProgram } from './guest-programs.ts';
import type { GuestWorld } from './guest-world.ts';
import { mergeSignals } from './signals.ts';

/** What {@link runInGuest} needs. */
export interface GuestExec {
  readonly command: readonly string[];
  readonly options: ExecOptions;
  readonly world: GuestWorld;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Longest that can be waited for; what the agent of real guests takes. */
const LONGEST_MS = 2 ** 31 - 1;
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/' };

/**
 * Runs a built-in program as a process of the guest.
 * @throws WarmvmError WARMVM_GUEST_EXEC_FAILED when there is no such program or the time is over; the signal's reason on abort
 */
export async function runInGuest({ command, options, world, clock, signal }: GuestExec): Promise<ExecResult> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const maxOutputBytes = options.maxOutputBytes ?? (options.onOutput === undefined ? 1_048_576 : 1_073_741_824);
  checkExec(command, timeoutMs, maxOutputBytes);
  const workingDirectory = requireFolder(options.workingDirectory, command, world);
  const program = findProgram(command[0]!);
  if (program === undefined) throw execFailed(command, 'not-found', `${command[0]}: not found`);

  const killed = new AbortController();
  let killedBy: number | null = null;
  const started = world.spawn(command, (signalNumber) => {
    killedBy ??= signalNumber;
    killed.abort();
  });
  const timer = clock.setTimer(() => killed.abort(), timeoutMs);
  const merged = mergeSignals([signal, killed.signal]);
  const output = new GuestOutput(maxOutputBytes, options.onOutput);
  try {
    const { exitCode, stdout, stderr } = await program({
      arguments: command.slice(1),
      input: inputOf(options.stdin, merged.signal),
      write: (bytes) => output.write('stdout', bytes),
      workingDirectory,
      environment: { ...ENVIRONMENT, ...options.environment },
      world,
      clock,
      signal: merged.signal,
      maxOutputBytes,
    });
    await output.write('stdout', stdout);
    await output.write('stderr', stderr);
    return { exitCode, signal: null, ...output.result() };
  } catch (error) {
    if (signal.aborted || !killed.signal.aborted) throw error;
    if (killedBy === null)
      throw execFailed(command, 'timeout', `killed after ${timeoutMs} ms`, error, { timedOut: true });
    return { exitCode: null, signal: killedBy, ...output.result() };
  } finally {
    merged.release();
    timer.cancel();
    if (world.processes.get(started.pid) === started) world.processes.delete(started.pid);
  }
}

/** @throws WarmvmError where the guest has no such folder */
function requireFolder(path: string | undefined, command: readonly string[], world: GuestWorld): string {
  if (path === undefined) return '/';
  if (!path.startsWith('/')) throw new ArgumentError(`workingDirectory must be an absolute path, got ${path}`);
  const folder = guestPath(path);
  if (!world.hasFolder(folder)) throw execFailed(command, 'no-folder', `cannot change to ${folder}`);
  return folder;
}

function checkExec(command: readonly string[], timeoutMs: number, maxOutputBytes: number): void {
  if (!Array.isArray(command) || command.length === 0 || command.some((word) => typeof word !== 'string')) {
    throw new ArgumentError('command must be an array of strings with at least one in it');
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_MS) {
    throw new ArgumentError(`timeoutMs must be an integer from 1 to ${LONGEST_MS}, got ${timeoutMs}`);
  }
  if (!(maxOutputBytes >= 0)) {
    throw new ArgumentError(`maxOutputBytes must be a number of at least 0, got ${maxOutputBytes}`);
  }
}

function execFailed(
  command: readonly string[],
  reason: string,
  why: string,
  cause?: unknown,
  details: Readonly<Record<string, unknown>> = {},
): WarmvmError {
  return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `The guest could not run ${command[0]}: ${why}`, {
    // Arguments stay out: they may hold secrets.
    details: { program: command[0], reason, ...details },
    cause: cause ?? new Error(why),
  });
}
