import { randomUUID } from 'node:crypto';
import { sleep, WarmvmError } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { EXEC_SCRIPT, execScriptArguments, PIPE_SCRIPT } from './exec-script.ts';
import { FileHandle } from './file-handle.ts';
import type { GuestFiles } from './guest-files.ts';
import {
  type ProcessStart,
  type ProcessStatus,
  pollDelays,
  processEnd,
  processStatus,
  startProcess,
} from './guest-process.ts';
import { InputPipe } from './input-pipe.ts';
import { OutputTail } from './output-tail.ts';
import { excerpt } from './reply.ts';
import { TimeLimit } from './time-limit.ts';

const SHELL = '/bin/sh';
/** Where the files of running programs are, for the moment in which they have a name. */
const FOLDER = '/tmp';
const CHUNK_BYTES = 65_536;
/** Enough for what the shell says when it cannot start a program. */
const MAX_COMPLAINT_BYTES = 4096;

/** What is to run, and who gets its output. */
export interface StreamedCommand {
  readonly command: readonly string[];
  readonly env: readonly string[] | undefined;
  readonly workingDirectory: string | undefined;
  readonly stdin: Uint8Array | AsyncIterable<Uint8Array | string>;
  readonly maxOutputBytes: number;
  readonly onOutput: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void | Promise<void>;
}

/** A program of the guest whose output is read while it runs: through files, as the agent shows output only at the end. */
export class StreamedExec implements AsyncDisposable {
  readonly #caller: AgentCaller;
  readonly #command: StreamedCommand;
  readonly #files = `${FOLDER}/warmvm-exec-${randomUUID()}`;
  readonly #open: { close(): Promise<void> }[] = [];
  readonly #tails: OutputTail[] = [];
  #pipe: InputPipe | undefined;
  #unlinked = false;

  constructor(caller: AgentCaller, command: StreamedCommand) {
    this.#caller = caller;
    this.#command = command;
  }

  /** Makes the files that the program is started with. */
  async prepare(guestFiles: GuestFiles, signal: AbortSignal): Promise<ProcessStart> {
    const { command, env, stdin, workingDirectory, maxOutputBytes, onOutput } = this.#command;
    for (const [suffix, stream] of [
      ['out', 'stdout'],
      ['err', 'stderr'],
    ] as const) {
      const handle = await FileHandle.open(this.#caller, `${this.#files}.${suffix}`, 'w+', signal);
      this.#open.push(handle);
      this.#tails.push(new OutputTail(handle, CHUNK_BYTES, maxOutputBytes, (bytes) => onOutput(bytes, stream)));
    }
    const hasInput = !(stdin instanceof Uint8Array) || stdin.length > 0;
    if (stdin instanceof Uint8Array) {
      if (hasInput) await guestFiles.write(`${this.#files}.in`, stdin, { signal });
    } else {
      await this.#makePipe(signal);
      this.#pipe = await InputPipe.open(this.#caller, `${this.#files}.in`, signal);
      this.#open.push(this.#pipe);
    }
    const parameters = execScriptArguments(this.#files, hasInput, workingDirectory, command);
    return { path: SHELL, arg: ['-c', EXEC_SCRIPT, ...parameters], ...(env === undefined ? {} : { env }) };
  }

  /** Feeds the program and hands over its output until it has ended. */
  async follow(pid: number, signal: AbortSignal): Promise<ProcessStatus> {
    const over = new AbortController();
    const failing = new AbortController();
    const both = AbortSignal.any([signal, failing.signal]);
    const feeding = this.#feed(AbortSignal.any([both, over.signal])).catch((error: unknown) => {
      if (!over.signal.aborted) failing.abort(error);
    });
    try {
      const status = await this.#read(pid, both);
      this.#requireStarted(status);
      return { ...status, stdoutTruncated: this.#tails[0]!.truncated, stderrTruncated: this.#tails[1]!.truncated };
    } finally {
      over.abort(new Error('the program has ended'));
      await feeding;
    }
  }

  /** Closes what is open in the guest, and removes what has a name. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.splice(0).map((handle) => handle.close().catch(() => {})));
    if (this.#unlinked) return;
    const arg = ['-f', ...['in', 'out', 'err'].map((suffix) => `${this.#files}.${suffix}`)];
    const limit = new TimeLimit(this.#caller.clock, this.#caller.cleanupTimeoutMs);
    await startProcess(this.#caller, { path: 'rm', arg }, limit.signal)
      .then((pid) => processEnd(this.#caller, pid, 0, limit.signal))
      .catch(() => {});
    limit.release();
  }

  async #read(pid: number, signal: AbortSignal): Promise<ProcessStatus> {
    let delays = pollDelays();
    for (;;) {
      // In this order: what is read after the end is all there is.
      const status = await processStatus(this.#caller, pid, MAX_COMPLAINT_BYTES, signal);
      let any = await this.#readPieces(signal);
      if (status.ended) {
        while (any) any = await this.#readPieces(signal);
        return status;
      }
      if (any) delays = pollDelays();
      await sleep(this.#caller.clock, delays.next().value, signal);
    }
  }

  /** A piece of each stream: neither waits for the other, nor the program's end for both. */
  async #readPieces(signal: AbortSignal): Promise<boolean> {
    let any = false;
    for (const tail of this.#tails) any = (await tail.drain(signal)) || any;
    return any;
  }

  async #feed(signal: AbortSignal): Promise<void> {
    const { stdin } = this.#command;
    if (this.#pipe !== undefined && !(stdin instanceof Uint8Array)) await this.#pipe.pump(stdin, signal);
  }

  async #makePipe(signal: AbortSignal): Promise<void> {
    const start = { path: SHELL, arg: ['-c', PIPE_SCRIPT, 'warmvm-exec', this.#files] };
    const { exitCode, stderr } = await processEnd(
      this.#caller,
      await startProcess(this.#caller, start, signal),
      MAX_COMPLAINT_BYTES,
      signal,
    );
    if (exitCode !== 0) throw refusal('The guest cannot make a pipe for input that comes as it goes', exitCode, stderr);
  }

  /** The program's own words go to the files: what the agent has captured is the shell's. */
  #requireStarted({ exitCode, stdout, stderr }: ProcessStatus): void {
    this.#unlinked = stderr.length === 0 && stdout.length === 0;
    if (this.#unlinked) return;
    const program = this.#command.command[0];
    throw refusal(`${program} could not be run in the guest`, exitCode, stderr, { program, started: false });
  }
}

function refusal(what: string, exitCode: number | null, stderr: Uint8Array, more: object = {}): WarmvmError {
  const said = excerpt(Buffer.from(stderr).toString('latin1').trim());
  return new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `${what}: ${said}`, {
    details: { exitCode, description: said, ...more },
    cause: new Error(`the shell of the guest ended with ${exitCode}: ${said}`),
  });
}
