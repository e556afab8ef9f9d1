import type { CallOptions } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { obtain } from './obtain.ts';
import { asBoolean, asBytes, asCount, asObject, Malformed } from './reply.ts';
import { TimeLimit } from './time-limit.ts';

/** A piece of a file. */
export interface FileChunk {
  readonly bytes: Uint8Array;
  /** Nothing follows, for now. */
  readonly atEnd: boolean;
}

/** One open file of the guest. Whoever opened it closes it. */
export class FileHandle {
  readonly #caller: AgentCaller;
  readonly #handle: number;

  private constructor(caller: AgentCaller, handle: number) {
    this.#caller = caller;
    this.#handle = handle;
  }

  /** @throws WARMVM_GUEST_EXEC_FAILED when there is no such file */
  static async open(
    caller: AgentCaller,
    path: string,
    mode: 'r' | 'w' | 'a' | 'w+' | 'r+',
    signal?: AbortSignal,
  ): Promise<FileHandle> {
    const handle = await obtain(
      caller,
      () => caller.call('guest-file-open', { path, mode }, (value) => asCount(value, 'handle')),
      (opened) => new FileHandle(caller, opened).close(),
      signal,
    );
    return new FileHandle(caller, handle);
  }

  /** At most `count` bytes from where the last read ended; none where the file ends. */
  read(count: number, options: CallOptions = {}): Promise<FileChunk> {
    const parameters = { handle: this.#handle, count };
    const limits = { maxBytes: Math.ceil(count / 3) * 4 + 4096 };
    return this.#caller.call('guest-file-read', parameters, (value) => decodeRead(value, count), {
      ...options,
      limits,
    });
  }

  /** Resolves with how many of the bytes were taken. */
  write(bytes: Uint8Array, options: CallOptions = {}): Promise<number> {
    const parameters = { handle: this.#handle, 'buf-b64': Buffer.from(bytes).toString('base64') };
    const decode = (value: unknown): number => decodeWritten(value, bytes.length);
    return this.#caller.call('guest-file-write', parameters, decode, options);
  }

  /** Resolves once the guest's kernel has what was written. */
  flush(options: CallOptions = {}): Promise<void> {
    return this.#caller.call('guest-file-flush', { handle: this.#handle }, () => {}, options);
  }

  /** Takes no longer than the caller's `cleanupTimeoutMs`. */
  async close(): Promise<void> {
    const limit = new TimeLimit(this.#caller.clock, this.#caller.cleanupTimeoutMs);
    try {
      await this.#caller.call('guest-file-close', { handle: this.#handle }, () => {}, { signal: limit.signal });
    } catch (error) {
      throw limit.ended(error)
        ? this.#caller.unanswered('guest-file-close', this.#caller.cleanupTimeoutMs, error)
        : error;
    } finally {
      limit.release();
    }
  }
}

function decodeRead(value: unknown, requested: number): FileChunk {
  const fields = asObject(value, 'return');
  const count = asCount(fields.count, 'count', requested);
  const bytes = asBytes(fields['buf-b64'], 'buf-b64', count + 1);
  if (bytes.length !== count) throw new Malformed('buf-b64 does not hold count bytes');
  const atEnd = asBoolean(fields.eof, 'eof');
  if (!atEnd && count === 0) throw new Malformed('no bytes and no end of the file');
  return { bytes, atEnd };
}

function decodeWritten(value: unknown, sent: number): number {
  const count = asCount(asObject(value, 'return').count, 'count', sent);
  if (count === 0) throw new Malformed('no bytes were written');
  return count;
}
