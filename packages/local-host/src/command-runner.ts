import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { childEnvironment } from '@warmvm/core/driver';

/** A program and its arguments; never a line for a shell. */
export type Command = readonly [program: string, ...args: string[]];

/** How a command ended. */
export interface CommandResult {
  /** 127 when the program does not exist; 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  /** Standard output and error as they came, cut to the last {@link RunOptions.maxOutputBytes}. */
  readonly output: string;
}

export interface RunOptions {
  /** Variables over those of this process. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** How much of the output is kept: the end of it. @default 262144 */
  readonly maxOutputBytes?: number;
  /** Told every full line as it comes. @default none */
  readonly onLine?: (line: string) => void;
  /** Ends the command with SIGTERM, and the call rejects with the signal's reason once it is gone. */
  readonly signal?: AbortSignal;
}

/** Options of a process that goes on in the background. */
export interface StartOptions extends Pick<RunOptions, 'environment' | 'maxOutputBytes'> {
  /** Gives it a standard input that ends with this process, however that ends. @default an empty one */
  readonly lifeline?: boolean;
}

/** A process that goes on until it is told to stop. */
export interface BackgroundProcess {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<CommandResult>;
  /** Sends a signal; harmless when the process is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts programs. Injected, so that what decides can be tested without any. */
export interface CommandRunner {
  /** Runs to the end with no standard input. A non-zero exit code is a result. @throws the signal's reason */
  run(command: Command, options?: RunOptions): Promise<CommandResult>;
  /**
   * Starts in a session of its own, so that Ctrl-C in the terminal does not reach it before we say so.
   * @throws the error of the system when the program cannot be started
   */
  start(command: Command, options?: StartOptions): Promise<BackgroundProcess>;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** The end of what a command said: where it tells why it failed. */
export function lastLines(output: string): string {
  return output.trim().split('\n').slice(-6).join('\n');
}

class OutputTail {
  #text = '';
  #line = '';
  readonly #maxBytes: number;
  readonly #onLine: ((line: string) => void) | undefined;

  constructor(maxBytes: number, onLine?: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  add(chunk: string): void {
    this.#text = (this.#text + chunk).slice(-this.#maxBytes);
    if (this.#onLine === undefined) return;
    const lines = (this.#line + chunk).split('\n');
    this.#line = (lines.pop() ?? '').slice(-this.#maxBytes);
    for (const line of lines) this.#onLine(line);
  }

  toString(): string {
    return this.#text;
  }
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

interface Launched {
  readonly child: Child;
  readonly ended: Promise<CommandResult>;
}

function launch(command: Command, options: RunOptions & StartOptions, detached: boolean): Launched {
  const [program, ...args] = command;
  const child: Child = spawn(program, args, {
    detached,
    env: { ...childEnvironment(), ...options.environment },
    stdio: [options.lifeline === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }) as Child;
  // Nothing is ever written there, and it may go first.
  child.stdin?.on('error', () => {});
  const tail = new OutputTail(options.maxOutputBytes ?? 262_144, options.onLine);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => tail.add(chunk));
  }
  // 'exit' and not 'close': a daemon's children may hold the pipes open for as long as they live.
  const ended = new Promise<CommandResult>((resolve) => {
    child.on('error', (error) => resolve({ exitCode: 127, output: `${tail}${error.message}` }));
    child.on(detached ? 'exit' : 'close', (exitCode, signal) =>
      resolve({ exitCode: exitCode ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0), output: `${tail}` }),
    );
  });
  return { child, ended };
}

/** The runner that really starts programs. */
export const systemCommandRunner: CommandRunner = {
  async run(command, options = {}) {
    const { signal } = options;
    signal?.throwIfAborted();
    const { child, ended } = launch(command, options, false);
    const onAbort = (): void => {
      child.kill('SIGTERM');
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const result = await ended;
    signal?.removeEventListener('abort', onAbort);
    signal?.throwIfAborted();
    return result;
  },
  async start(command, options = {}) {
    const { child, ended } = launch(command, options, true);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // Neither the child nor its pipes may hold this process alive: whoever started it also stops it.
    child.unref();
    for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
    const pid = child.pid as number;
    return { pid, ended, kill: (signal) => void child.kill(signal) };
  },
};
