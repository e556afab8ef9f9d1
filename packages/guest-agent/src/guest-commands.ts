import { type ExecOptions, type ExecResult, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { requireInteger, requireName, requireText } from './check.ts';
import { type GuestEnvironment, requireEnvironment } from './guest-environment.ts';
import { killProcess, type ProcessStart, processEnd, startProcess } from './guest-process.ts';
import { obtain } from './obtain.ts';
import { TimeLimit } from './time-limit.ts';

const DEFAULT_EXEC_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_OUTPUT_BYTES = 1_048_576;
/** Base64 makes 2.8 MB of it; libvirt carries commands of less than 4 MiB. */
const MAX_STDIN_BYTES = 2_097_152;
/** What timers of Node can count to. */
const LONGEST_TIMEOUT_MS: number = 2 ** 31 - 1;

/** Runs programs in the guest and leaves none behind that its caller has given up on. */
export class GuestCommands {
  readonly #caller: AgentCaller;
  readonly #environment: GuestEnvironment;

  constructor(caller: AgentCaller, environment: GuestEnvironment) {
    this.#caller = caller;
    this.#environment = environment;
  }

  async run(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { timeoutMs = DEFAULT_EXEC_TIMEOUT_MS, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES, signal } = options;
    requireCommand(command);
    requireInteger('timeoutMs', timeoutMs, 1, LONGEST_TIMEOUT_MS);
    requireInteger('maxOutputBytes', maxOutputBytes, 0);
    const stdin = stdinBytes(options.stdin);
    requireEnvironment(options.environment ?? {});
    const limit = new TimeLimit(this.#caller.clock, timeoutMs, signal);
    const attempt: Attempt = { program: command[0] ?? '', killed: undefined };
    try {
      const env = await this.#environment.with(options.environment ?? {}, limit.signal);
      const start: ProcessStart = {
        path: attempt.program,
        arg: command.slice(1),
        ...(env === undefined ? {} : { env }),
        ...(stdin.length === 0 ? {} : { 'input-data': stdin.toString('base64') }),
      };
      return await this.#runOnce(start, attempt, maxOutputBytes, limit.signal);
    } catch (error) {
      throw limit.ended(error) ? timedOut(attempt, timeoutMs, error) : error;
    } finally {
      limit.release();
    }
  }

  async #runOnce(
    start: ProcessStart,
    attempt: Attempt,
    maxOutputBytes: number,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const kill = async (pid: number): Promise<void> => {
      attempt.killed = await killProcess(this.#caller, pid);
    };
    const pid = await obtain(this.#caller, () => this.#start(start, attempt), kill, signal);
    try {
      const { ended: _, ...result } = await processEnd(this.#caller, pid, maxOutputBytes, signal);
      return result;
    } catch (error) {
      await kill(pid);
      throw lostSight(error, attempt);
    }
  }

  async #start(start: ProcessStart, attempt: Attempt): Promise<number> {
    try {
      return await startProcess(this.#caller, start);
    } catch (error) {
      throw notStarted(error, attempt.program);
    }
  }
}

interface Attempt {
  readonly program: string;
  /** Undefined while there was nothing to kill. */
  killed: boolean | undefined;
}

function notStarted(error: unknown, program: string): unknown {
  if (!isWarmvmError(error) || error.code === 'WARMVM_NOT_SUPPORTED') return error;
  const refused = error.code === 'WARMVM_GUEST_EXEC_FAILED';
  const fate = refused ? 'could not be run in the guest' : 'may or may not have been started in the guest';
  return new WarmvmError(error.code, `${program} ${fate}: ${error.message}`, {
    retryable: error.retryable,
    details: { ...error.details, program, ...(refused ? {} : { killed: false }) },
    cause: error,
  });
}

function timedOut({ program, killed = false }: Attempt, timeoutMs: number, cause: unknown): WarmvmError {
  const fate = killed ? 'It was killed.' : 'It could not be killed: it may still run.';
  return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `${program} did not end within ${timeoutMs} ms. ${fate}`, {
    details: { program, timeoutMs, timedOut: true, killed },
    cause,
  });
}

function lostSight(error: unknown, { program, killed = false }: Attempt): unknown {
  if (!isWarmvmError(error)) return error;
  const details = { ...error.details, program, killed };
  if (error.details.malformed === 'reply too long') {
    const message = `${program} ended, but wrote more than the channel to the guest agent carries.`;
    return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', message, { details, cause: error });
  }
  const fate = killed ? 'The process is no more.' : 'The process could not be killed: it may still run.';
  return new WarmvmError(error.code, `Lost sight of ${program} in the guest: ${error.message} ${fate}`, {
    retryable: error.retryable,
    details,
    cause: error,
  });
}

function requireCommand(command: readonly string[]): void {
  if (!Array.isArray(command) || command.length === 0)
    throw new TypeError('command must be an array with a program in it');
  requireName('the program', command[0]);
  for (const argument of command) requireText('an argument of the command', argument);
}

function stdinBytes(stdin: Uint8Array | string | undefined): Buffer {
  const bytes = typeof stdin === 'string' ? Buffer.from(stdin, 'utf8') : Buffer.from(stdin ?? []);
  if (bytes.length <= MAX_STDIN_BYTES) return bytes;
  throw new RangeError(
    `stdin must have at most ${MAX_STDIN_BYTES} bytes, not ${bytes.length}; use writeFile for what is longer`,
  );
}
