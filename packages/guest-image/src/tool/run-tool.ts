import { spawn } from 'node:child_process';
import { childEnvironment, WarmvmError } from '@warmvm/core/driver';

/** A program to run: arguments as a list, never through a shell. */
export interface ToolCall {
  /** Name looked up in `PATH`, or an absolute path. */
  readonly command: string;
  readonly arguments: readonly string[];
  /** Folder it runs in. @default the current one */
  readonly directory?: string;
  readonly signal?: AbortSignal;
  /** What to do when the program is absent; ends the error's message. */
  readonly whenMissing: string;
  /** More output than this ends the program. @default 16 MiB */
  readonly maximumOutputBytes?: number;
}

/** How a program ended. */
export interface ToolResult {
  readonly exitCode: number;
  readonly output: Buffer;
  /** The end of what it wrote to standard error, at most 4 KiB. */
  readonly complaint: string;
}

const MAXIMUM_COMPLAINT_BYTES = 4096;

/**
 * Runs a program to its end. Its messages are in English whatever the user's language, since they are looked at.
 * @throws the signal's reason; WARMVM_NOT_SUPPORTED when the program is absent; WARMVM_GOLDEN_INVALID when it writes too much
 */
export async function runTool(call: ToolCall): Promise<ToolResult> {
  call.signal?.throwIfAborted();
  const maximumOutputBytes = call.maximumOutputBytes ?? 16 * 1024 * 1024;
  const child = spawn(call.command, call.arguments, {
    cwd: call.directory,
    env: { ...childEnvironment(), LC_ALL: 'C', LANGUAGE: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  call.signal?.addEventListener('abort', stop, { once: true });
  const output: Buffer[] = [];
  let outputBytes = 0;
  let complaint = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes > maximumOutputBytes) stop();
    else output.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = Buffer.concat([complaint, chunk]).subarray(-MAXIMUM_COMPLAINT_BYTES);
  });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(cannotStart(call, error)));
      child.once('close', (code) => resolve(code ?? -1));
    });
    call.signal?.throwIfAborted();
    if (outputBytes > maximumOutputBytes) {
      throw new WarmvmError('WARMVM_GOLDEN_INVALID', `${call.command} wrote more than ${maximumOutputBytes} bytes.`);
    }
    return { exitCode, output: Buffer.concat(output), complaint: complaint.toString().trim() };
  } finally {
    call.signal?.removeEventListener('abort', stop);
  }
}

function cannotStart(call: ToolCall, cause: Error): WarmvmError {
  const problem = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'does not start';
  return new WarmvmError('WARMVM_NOT_SUPPORTED', `The program ${call.command} ${problem}. ${call.whenMissing}`, {
    cause,
    details: { program: call.command },
  });
}
