import { type FileCallOptions, type ReadFileOptions, WarmvmError, type WriteFileOptions } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { LONGEST_TIMEOUT_MS, requireInteger, requireName } from './check.ts';
import { FileHandle } from './file-handle.ts';
import { TimeLimit } from './time-limit.ts';

const DEFAULT_MAX_FILE_BYTES: number = 16 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 600_000;

/** Files of the guest through the agent's file handles; every handle is closed, whatever happens. */
export class GuestFiles {
  readonly #caller: AgentCaller;
  readonly #chunkBytes: number;

  constructor(caller: AgentCaller, chunkBytes: number) {
    this.#caller = caller;
    this.#chunkBytes = chunkBytes;
  }

  async read(path: string, options: ReadFileOptions = {}): Promise<Uint8Array> {
    const { maxBytes = DEFAULT_MAX_FILE_BYTES } = options;
    requireName('path', path);
    requireInteger('maxBytes', maxBytes, 0);
    return this.#within(`reading ${path}`, options, async (signal) => {
      const file = await FileHandle.open(this.#caller, path, 'r', signal);
      try {
        return await this.#readAll(file, path, maxBytes, signal);
      } finally {
        await file.close().catch(() => {});
      }
    });
  }

  /** Resolves once the guest's kernel has all of it. A call that fails may have written a part. */
  async write(path: string, content: Uint8Array | string, options: WriteFileOptions = {}): Promise<void> {
    const { append = false } = options;
    requireName('path', path);
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    await this.#within(`writing ${path}`, options, async (signal) => {
      const file = await FileHandle.open(this.#caller, path, append ? 'a' : 'w', signal);
      try {
        await this.#writeAll(file, bytes, signal);
        // A close that fails leaves qemu-ga with a dangling handle, so what can fail must fail here.
        if (bytes.length > 0) await file.flush({ signal });
      } catch (error) {
        await file.close().catch(() => {});
        throw error;
      }
      await file.close();
    });
  }

  /** A guest may give one byte with each answer, without end. */
  async #within<T>(what: string, options: FileCallOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    requireInteger('timeoutMs', timeoutMs, 1, LONGEST_TIMEOUT_MS);
    const limit = new TimeLimit(this.#caller.clock, timeoutMs, signal);
    try {
      return await work(limit.signal);
    } catch (error) {
      throw limit.ended(error) ? tooSlow(what, timeoutMs, error) : error;
    } finally {
      limit.release();
    }
  }

  async #readAll(file: FileHandle, path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const content = new ByteBuffer(maxBytes);
    let length = 0;
    for (;;) {
      // One byte over the bound tells a file that is too long from one that just fits.
      const count = Math.min(this.#chunkBytes, maxBytes - length + 1);
      const chunk = await file.read(count, { signal });
      length += chunk.bytes.length;
      if (!content.append(chunk.bytes)) throw tooLong(path, maxBytes);
      if (chunk.atEnd) return content.takeBytes();
    }
  }

  async #writeAll(file: FileHandle, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      const chunk = bytes.subarray(offset, offset + this.#chunkBytes);
      offset += await file.write(chunk, { signal });
    }
  }
}

function tooSlow(what: string, timeoutMs: number, cause: unknown): WarmvmError {
  return new WarmvmError(
    'WARMVM_GUEST_UNRESPONSIVE',
    `${what} in the guest took more than ${timeoutMs} ms; give a larger timeoutMs.`,
    { retryable: true, details: { timeoutMs, timedOut: true }, cause },
  );
}

function tooLong(path: string, maxBytes: number): WarmvmError {
  return new WarmvmError(
    'WARMVM_GUEST_EXEC_FAILED',
    `The file ${path} is longer than ${maxBytes} bytes; give a larger maxBytes.`,
    { details: { path, maxBytes } },
  );
}
