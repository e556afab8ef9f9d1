import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { fromSystemError, WarmvmError } from '@warmvm/core/driver';

/** How a process was started: arguments of `child_process.spawn`. */
export interface Command {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly options: Parameters<typeof spawn>[2];
}

/** Starts a program. Replaced in tests. */
export type StartProcess = (command: Command) => ChildProcess;

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The program could not be started at all. */
  readonly cause?: unknown;
}

/** What QEMU says before it gives up fits in it; what a guest makes it say without end does not. */
const KEPT_STDERR_BYTES = 8192;

/** Descriptors of a QEMU that we start: what it inherits beside standard error. */
export const MONITOR_DESCRIPTOR = 3;
export const AGENT_DESCRIPTOR = 4;
export const STATE_DESCRIPTOR = 5;

/** The socket at which a later owner reaches its monitor, where it has one. */
export const HEIR_DESCRIPTOR = 6;
/** The console of a golden snapshot's QEMU, which has no later owner. */
export const CONSOLE_DESCRIPTOR = 6;
/** The first of its files. */
export const FIRST_FILE_DESCRIPTOR = 7;

/** `stdio` for a QEMU process: libuv makes each pipe above 2 a pair of connected sockets. */
export const QEMU_STDIO = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'] as const;

export const startProcess: StartProcess = (command) =>
  spawn(command.command, [...command.arguments], command.options ?? {});

/** A QEMU that this process has started and reaps. */
export class QemuProcess {
  readonly pid: number;
  /** Resolves when the process is gone and reaped. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  #stderr = '';
  #fault: Error | undefined;

  /** @throws WARMVM_HOST_OPERATION when the program cannot be started */
  static async start(command: Command, start: StartProcess = startProcess): Promise<QemuProcess> {
    const child = start(command);
    if (child.pid !== undefined) return new QemuProcess(child, child.pid);
    const cause = await new Promise((resolve) => child.once('error', resolve));
    throw new WarmvmError('WARMVM_HOST_OPERATION', `${command.command} could not be started`, {
      cause,
      details: { program: command.command, remedy: 'install QEMU, or name it with options.binary' },
    });
  }

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    // Node reports a kill that fails here, before `kill` returns.
    child.on('error', (error: Error) => {
      this.#fault = error;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-KEPT_STDERR_BYTES);
    });
    for (const stream of child.stdio) stream?.on('error', () => {});
  }

  /** The end of QEMU's standard error: printable text, at most 8 KiB. */
  get said(): string {
    return this.#stderr.replaceAll(/[^\x20-\x7e\n]/g, '?').trim();
  }

  /** Our end of one of the sockets that it inherited. */
  socket(descriptor: number): Duplex {
    return this.#child.stdio[descriptor] as Readable as Duplex;
  }

  /** It does not keep this process alive any more. */
  release(): void {
    this.#child.unref();
    for (const stream of this.#child.stdio) stream?.destroy();
  }

  /** Kills it at once; {@link ended} resolves when it is gone. @throws WARMVM_HOST_DENIED when this process may not */
  kill(): void {
    this.#fault = undefined;
    this.#child.kill('SIGKILL');
    if (this.#fault !== undefined) throw fromSystemError(this.#fault, `QEMU (process ${this.pid}) could not be killed`);
  }
}
