import type { ExecOptions, ExecResult, Guest, ReadFileOptions, WriteFileOptions } from '@warmvm/core/driver';
import { MOST_READ_BYTES, MOST_WRITE_BYTES } from '../protocol/limits.ts';
import { asExecEnd, asNumber } from '../protocol/reply-check.ts';
import type { CallInput, CallOptions, CallRequest, ControlConnection } from './control-connection.ts';

/** The guest of a machine that another process keeps. Calls go one after the other. */
export class RemoteGuest implements Guest {
  readonly #connection: ControlConnection;
  #last: Promise<void> = Promise.resolve();

  constructor(connection: ControlConnection) {
    this.#connection = connection;
  }

  async ping({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#call({ type: 'ping' }, { signal });
  }

  async timeMs({ signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return asNumber(await this.#call({ type: 'time' }, { signal }));
  }

  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { stdin, onOutput, environment, workingDirectory, timeoutMs, maxOutputBytes, signal } = options;
    const output = { data: [] as Uint8Array[], errorData: [] as Uint8Array[] };
    const end = asExecEnd(
      await this.#call(
        {
          type: 'exec',
          command,
          environment: environment ?? {},
          workingDirectory,
          timeoutMs,
          maxOutputBytes,
          hasInput: stdin !== undefined,
          isStreamed: onOutput !== undefined,
        },
        {
          signal,
          onData: (bytes, kind) =>
            onOutput === undefined
              ? void output[kind].push(bytes)
              : onOutput(bytes, kind === 'data' ? 'stdout' : 'stderr'),
          ...(stdin === undefined ? {} : { send: (input: CallInput) => sendInput(stdin, input) }),
        },
      ),
    );
    return { ...end, stdout: Buffer.concat(output.data), stderr: Buffer.concat(output.errorData) };
  }

  async readFile(path: string, { signal, maxBytes }: ReadFileOptions = {}): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    await this.#call(
      { type: 'read', path, maxBytes: maxBytes === undefined ? undefined : Math.min(maxBytes, MOST_READ_BYTES) },
      { signal, onData: (bytes) => void pieces.push(bytes) },
    );
    return Buffer.concat(pieces);
  }

  async writeFile(path: string, content: Uint8Array | string, options: WriteFileOptions = {}): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const { signal, append = false } = options;
    for (let at = 0; at === 0 || at < bytes.byteLength; at += MOST_WRITE_BYTES) {
      const piece = bytes.subarray(at, at + MOST_WRITE_BYTES);
      await this.#call(
        { type: 'write', path, append: append || at > 0, sizeBytes: piece.byteLength },
        { signal, send: (input) => input.write(piece) },
      );
    }
  }

  /** The pool takes one call at a time on a machine, and one that was given up takes its time to end there. */
  async #call(request: CallRequest, options: CallOptions): Promise<unknown> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const { answer, settled } = this.#connection.start(request, options);
    void settled.then(resolve);
    return answer;
  }
}

async function sendInput(stdin: NonNullable<ExecOptions['stdin']>, input: CallInput): Promise<void> {
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) {
    await input.write(typeof stdin === 'string' ? Buffer.from(stdin) : stdin);
    return input.end('input-ended');
  }
  const iterator = stdin[Symbol.asyncIterator]();
  // Not awaited: a source that waits for a person ends when it ends.
  const stop = (): void => void Promise.resolve(iterator.return?.()).catch(() => {});
  input.ended.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true || input.ended.aborted) break;
      await input.write(typeof next.value === 'string' ? Buffer.from(next.value) : next.value);
    }
  } catch (error) {
    if (!input.ended.aborted) input.end('input-failed');
    throw error;
  } finally {
    input.ended.removeEventListener('abort', stop);
  }
  input.end('input-ended');
}
