import { type ReadFileOptions, WarmvmError, type WriteFileOptions } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { requireInteger, requireName } from './check.ts';
import { obtain } from './obtain.ts';
import { asBoolean, asBytes, asCount, asObject, Malformed } from './reply.ts';
import { TimeLimit } from './time-limit.ts';

const DEFAULT_MAX_FILE_BYTES: number = 16 * 1024 * 1024;

/** Files of the guest through the agent's file handles; every handle is closed, whatever happens. */
export class GuestFiles {
  readonly #caller: AgentCaller;
  readonly #chunkBytes: number;

  constructor(caller: AgentCaller, chunkBytes: number) {
    this.#caller = caller;
    this.#chunkBytes = chunkBytes;
  }

  async read(path: string, options: ReadFileOptions = {}): Promise<Uint8Array> {
    const { maxBytes = DEFAULT_MAX_FILE_BYTES, signal } = options;
    requireName('path', path);
    requireInteger('maxBytes', maxBytes, 0);
    const handle = await this.#open(path, 'r', signal);
    try {
      return await this.#readAll(handle, path, maxBytes, signal);
    } finally {
      await this.#close(handle).catch(() => {});
    }
  }

  /** Resolves once the guest's kernel has all of it. A call that fails may have written a part. */
  async write(path: string, content: Uint8Array | string, options: WriteFileOptions = {}): Promise<void> {
    const { append = false, signal } = options;
    requireName('path', path);
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    const handle = await this.#open(path, append ? 'a' : 'w', signal);
    try {
      await this.#writeAll(handle, bytes, signal);
      // A close that fails leaves qemu-ga with a dangling handle, so what can fail must fail here.
      if (bytes.length > 0) await this.#caller.call('guest-file-flush', { handle }, () => {}, withSignal(signal));
    } catch (error) {
      await this.#close(handle).catch(() => {});
      throw error;
    }
    await this.#close(handle);
  }

  #open(path: string, mode: 'r' | 'w' | 'a', signal: AbortSignal | undefined): Promise<number> {
    return obtain(
      this.#caller,
      () => this.#caller.call('guest-file-open', { path, mode }, (value) => asCount(value, 'handle')),
      (handle) => this.#close(handle),
      signal,
    );
  }

  async #close(handle: number): Promise<void> {
    const limit = new TimeLimit(this.#caller.clock, this.#caller.cleanupTimeoutMs);
    try {
      await this.#caller.call('guest-file-close', { handle }, () => {}, { signal: limit.signal });
    } catch (error) {
      throw limit.ended(error) ? notClosed(this.#caller.cleanupTimeoutMs, error) : error;
    } finally {
      limit.release();
    }
  }

  async #readAll(handle: number, path: string, maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const content = new ByteBuffer(maxBytes);
    let length = 0;
    for (;;) {
      // One byte over the bound tells a file that is too long from one that just fits.
      const count = Math.min(this.#chunkBytes, maxBytes - length + 1);
      const decode = (value: unknown): ReadChunk => decodeRead(value, count);
      const chunk = await this.#caller.call('guest-file-read', { handle, count }, decode, withSignal(signal));
      length += chunk.bytes.length;
      if (!content.append(chunk.bytes)) throw tooLong(path, maxBytes);
      if (chunk.atEnd) return content.takeBytes();
    }
  }

  async #writeAll(handle: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      const chunk = bytes.subarray(offset, offset + this.#chunkBytes);
      const parameters = { handle, 'buf-b64': Buffer.from(chunk).toString('base64') };
      const decode = (value: unknown): number => decodeWritten(value, chunk.length);
      offset += await this.#caller.call('guest-file-write', parameters, decode, withSignal(signal));
    }
  }
}

interface ReadChunk {
  readonly bytes: Uint8Array;
  readonly atEnd: boolean;
}

function decodeRead(value: unknown, requested: number): ReadChunk {
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

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function notClosed(timeoutMs: number, cause: unknown): WarmvmError {
  return new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', 'The guest agent did not close a file in time.', {
    retryable: true,
    details: { command: 'guest-file-close', timeoutMs },
    cause,
  });
}

function tooLong(path: string, maxBytes: number): WarmvmError {
  return new WarmvmError(
    'WARMVM_GUEST_EXEC_FAILED',
    `The file ${path} is longer than ${maxBytes} bytes; give a larger maxBytes.`,
    { details: { path, maxBytes } },
  );
}
