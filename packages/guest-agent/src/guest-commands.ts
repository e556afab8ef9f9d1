import { type ExecOptions, type ExecResult, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { LONGEST_TIMEOUT_MS, requireInteger, requireName, requireText } from './check.ts';
import { type CapturedPlan, planExec, type StreamedPlan } from './exec-plan.ts';
import { GuestEnvironment, requireEnvironment } from './guest-environment.ts';
import type { GuestFiles } from './guest-files.ts';
import { killProcess, type ProcessStart, type ProcessStatus, processEnd, startProcess } from './guest-process.ts';
import { obtain } from './obtain.ts';
import { StreamedExec } from './streamed-exec.ts';
import { TimeLimit } from './time-limit.ts';

const DEFAULT_EXEC_TIMEOUT_MS = 30_000;

/** Runs programs in the guest and leaves none behind that its caller has given up on. */
export class GuestCommands {
  readonly #caller: AgentCaller;
  readonly #files: GuestFiles;
  readonly #environment: GuestEnvironment;

  constructor(caller: AgentCaller, files: GuestFiles) {
    this.#caller = caller;
    this.#files = files;
    this.#environment = new GuestEnvironment(files);
  }

  async run(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { timeoutMs = DEFAULT_EXEC_TIMEOUT_MS, signal } = options;
    requireCommand(command);
    requireInteger('timeoutMs', timeoutMs, 1, LONGEST_TIMEOUT_MS);
    requireEnvironment(options.environment ?? {});
    const plan = planExec(options);
    const limit = new TimeLimit(this.#caller.clock, timeoutMs, signal);
    const attempt: Attempt = { program: command[0] ?? '', killed: undefined };
    try {
      const env = await this.#environment.with(options.environment ?? {}, limit.signal);
      return plan.streamed
        ? await this.#runStreamed(plan, { command, env }, attempt, limit.signal)
        : await this.#runCaptured(plan, { command, env }, attempt, limit.signal);
    } catch (error) {
      throw limit.ended(error) ? timedOut(attempt, timeoutMs, error) : error;
    } finally {
      limit.release();
    }
  }

  /** The agent keeps the output until the end. */
  #runCaptured(plan: CapturedPlan, what: Invocation, attempt: Attempt, signal: AbortSignal): Promise<ExecResult> {
    const { stdin, maxOutputBytes } = plan;
    const start: ProcessStart = {
      path: attempt.program,
      arg: what.command.slice(1),
      ...(what.env === undefined ? {} : { env: what.env }),
      ...(stdin.length === 0 ? {} : { 'input-data': Buffer.from(stdin).toString('base64') }),
    };
    return this.#runOnce(start, attempt, (pid) => processEnd(this.#caller, pid, maxOutputBytes, signal), signal);
  }

  async #runStreamed(plan: StreamedPlan, what: Invocation, attempt: Attempt, signal: AbortSignal): Promise<ExecResult> {
    const collected = { stdout: new ByteBuffer(plan.maxOutputBytes), stderr: new ByteBuffer(plan.maxOutputBytes) };
    const collect = (bytes: Uint8Array, stream: 'stdout' | 'stderr'): void => void collected[stream].append(bytes);
    const handOver = plan.onOutput ?? collect;
    const onOutput = async (bytes: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> => {
      try {
        await handOver(bytes, stream);
      } catch (error) {
        attempt.thrownByListener = error;
        throw error;
      }
    };
    const streamed = new StreamedExec(this.#caller, { ...plan, ...what, onOutput });
    try {
      const start = await streamed.prepare(this.#files, signal);
      const result = await this.#runOnce(start, attempt, (pid) => streamed.follow(pid, signal), signal);
      return { ...result, stdout: collected.stdout.takeBytes(), stderr: collected.stderr.takeBytes() };
    } finally {
      await streamed[Symbol.asyncDispose]();
    }
  }

  async #runOnce(
    start: ProcessStart,
    attempt: Attempt,
    follow: (pid: number) => Promise<ProcessStatus>,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const kill = async (pid: number): Promise<void> => {
      attempt.killed = await killProcess(this.#caller, pid);
    };
    const pid = await obtain(this.#caller, () => this.#start(start, attempt), kill, signal);
    try {
      const { ended: _, ...result } = await follow(pid);
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
      throw notStarted(error, attempt.program, start.path);
    }
  }
}

interface Invocation {
  readonly command: readonly string[];
  readonly env: readonly string[] | undefined;
}

interface Attempt {
  readonly program: string;
  /** Undefined while there was nothing to kill. */
  killed: boolean | undefined;
  thrownByListener?: unknown;
}

/** @param path what the agent was to start: the program, or the shell that becomes it */
function notStarted(error: unknown, program: string, path: string): unknown {
  if (!isWarmvmError(error) || error.code === 'WARMVM_NOT_SUPPORTED') return error;
  const refused = error.code === 'WARMVM_GUEST_EXEC_FAILED';
  const fate = refused ? 'could not be run in the guest' : 'may or may not have been started in the guest';
  return new WarmvmError(error.code, `${program} ${fate}: ${whyNotStarted(error, path)}`, {
    retryable: error.retryable,
    details: { ...error.details, program, ...(refused ? { started: false } : { killed: false }) },
    cause: error,
  });
}

/** In the words of the guest's shell, where the agent's own mean the same. */
function whyNotStarted({ message, details }: WarmvmError, path: string): string {
  const said = String(details.description ?? '');
  if (/\(No such file or directory\)/.test(said)) return `there is no program ${path}`;
  if (/\(Permission denied\)/.test(said)) return `${path} is not a file that may be executed`;
  return message;
}

function timedOut({ program, killed = false }: Attempt, timeoutMs: number, cause: unknown): WarmvmError {
  const fate = killed ? 'It was killed.' : 'It could not be killed: it may still run.';
  return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `${program} did not end within ${timeoutMs} ms. ${fate}`, {
    details: { program, timeoutMs, timedOut: true, killed },
    cause,
  });
}

function lostSight(error: unknown, { program, killed = false, thrownByListener }: Attempt): unknown {
  if (!isWarmvmError(error) || error === thrownByListener) return error;
  // It never began: there is nothing to lose sight of.
  if (error.details.started === false) return error;
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
