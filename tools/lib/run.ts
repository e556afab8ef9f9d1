import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { root } from './repository.ts';

/** How a command ended; `output` is both streams as they came. */
export interface RunResult {
  readonly exitCode: number;
  readonly output: string;
}

export interface RunOptions {
  /** @default the root of this checkout */
  readonly cwd?: string;
  /** Variables over those of this process; undefined takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** After this the command is ended and counts as failed. @default 1200000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each whole line of both streams as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a command to its end with no standard input. A command that cannot be started is a result, not an exception. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const timer = setTimeout(() => {
      output += `\nended after ${options.timeoutMs ?? 1_200_000} ms`;
      child.kill('SIGTERM');
    }, options.timeoutMs ?? 1_200_000);
    const onAbort = (): void => {
      child.kill('SIGTERM');
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    const finish = (exitCode: number): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      resolve({ exitCode, output });
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (options.onLine !== undefined) createInterface({ input: stream }).on('line', options.onLine);
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-1_000_000);
      });
    }
    child.on('error', (error) => {
      output += String(error);
      finish(127);
    });
    child.on('close', (exitCode) => finish(exitCode ?? 1));
  });
}
