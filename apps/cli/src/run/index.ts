import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ConfigError } from '../config/config-error.ts';
import { readSettings } from '../config/settings.ts';
import { EXIT } from '../exit-codes.ts';
import { explain } from '../explain.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { openSource } from '../place/open-source.ts';
import type { RunOptions } from './command.ts';
import { parseCopy } from './copies.ts';
import { type RunRequest, runInMachine } from './run.ts';

/** Runs `warmvm run`. Resolves with the exit code. */
export function runRun(command: readonly string[], options: RunOptions, output: Output): Promise<number> {
  const complain = (error: unknown): void => output.writeError(`warmvm: ${explain(error)}\n`);
  const work = async (signal: AbortSignal): Promise<number> => {
    const request = parseRequest(command, options);
    const say = (text: string): void => {
      if (options.quiet !== true && process.stderr.isTTY) output.writeError(`warmvm: ${text}\n`);
    };
    const source = await openSource(await readSettings(options), { signal, say });
    try {
      const write = (bytes: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> =>
        writeAll(stream === 'stdout' ? process.stdout : process.stderr, bytes);
      return await runInMachine(source, request, { input: process.stdin, write, complain }, signal);
    } finally {
      await source[Symbol.asyncDispose]();
    }
  };
  return runInterruptibly(output, work, EXIT.trouble);
}

function parseRequest(command: readonly string[], options: RunOptions): RunRequest {
  if (options.cwd !== undefined && !options.cwd.startsWith('/')) {
    throw new ConfigError(`--cwd ${options.cwd}: expected an absolute path in the guest`);
  }
  return {
    command,
    environment: options.env,
    workingDirectory: options.cwd,
    timeoutMs: options.timeout,
    copyIn: options.copyIn.map((text) => parseCopy('--copy-in', text, '/tmp')),
    copyOut: options.copyOut.map((text) => parseCopy('--copy-out', text, '.')),
    interactive: options.interactive === true,
  };
}

/** Resolves when more may be written. A reader that went away ends the program, as it would end one here. */
async function writeAll(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.write(bytes)) return;
  await once(stream, 'drain');
}
