import { type Clock, type ExecOptions, type ExecResult, WarmvmError } from '@warmvm/core/driver';
import { ArgumentError } from './errors.ts';
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

const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/' };

/**
 * Runs a built-in program as a process of the guest.
 * @throws WarmvmError WARMVM_GUEST_EXEC_FAILED when there is no such program or the time is over; the signal's reason on abort
 */
export async function runInGuest({ command, options, world, clock, signal }: GuestExec): Promise<ExecResult> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const maxOutputBytes = options.maxOutputBytes ?? 1_048_576;
  checkExec(command, timeoutMs, maxOutputBytes);
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
  const stdin = options.stdin ?? '';
  try {
    const { exitCode, stdout, stderr } = await program({
      arguments: command.slice(1),
      stdin: typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin,
      environment: { ...ENVIRONMENT, ...options.environment },
      world,
      clock,
      signal: merged.signal,
      maxOutputBytes,
    });
    return {
      exitCode,
      signal: null,
      stdout: stdout.slice(0, maxOutputBytes),
      stderr: stderr.slice(0, maxOutputBytes),
      stdoutTruncated: stdout.byteLength > maxOutputBytes,
      stderrTruncated: stderr.byteLength > maxOutputBytes,
    };
  } catch (error) {
    if (signal.aborted || !killed.signal.aborted) throw error;
    if (killedBy === null) throw execFailed(command, 'timeout', `killed after ${timeoutMs} ms`, error);
    const nothing = new Uint8Array();
    const untouched = { stdout: nothing, stderr: nothing, stdoutTruncated: false, stderrTruncated: false };
    return { exitCode: null, signal: killedBy, ...untouched };
  } finally {
    merged.release();
    timer.cancel();
    if (world.processes.get(started.pid) === started) world.processes.delete(started.pid);
  }
}

function checkExec(command: readonly string[], timeoutMs: number, maxOutputBytes: number): void {
  if (!Array.isArray(command) || command.length === 0 || command.some((word) => typeof word !== 'string')) {
    throw new ArgumentError('command must be an array of strings with at least one in it');
  }
  if (!(timeoutMs > 0)) throw new ArgumentError(`timeoutMs must be a number above 0, got ${timeoutMs}`);
  if (!(maxOutputBytes >= 0)) {
    throw new ArgumentError(`maxOutputBytes must be a number of at least 0, got ${maxOutputBytes}`);
  }
}

function execFailed(command: readonly string[], reason: string, why: string, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `The guest could not run ${command[0]}: ${why}`, {
    // Arguments stay out: they may hold secrets.
    details: { program: command[0], reason },
    cause: cause ?? new Error(why),
  });
}
