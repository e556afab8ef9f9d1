import { isWarmvmError, sleep } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { FileHandle } from './file-handle.ts';

/**
 * Below the 4096 bytes that a pipe takes whole or not at all, and below the buffer that the agent keeps of a file: so a piece
 * either waits in that buffer or is in the pipe, and none is torn.
 */
const PIECE_BYTES = 2048;
const RETRY_MS = 5;

/** The host's end of a pipe in the guest, as the agent's file handle. */
export class InputPipe {
  readonly #caller: AgentCaller;
  readonly #path: string;
  readonly #handle: FileHandle;
  #closed: Promise<void> | undefined;
  /** The C library of the agent reports an error of the last flush once more with the next write, which succeeds. */
  #flushFailed = false;

  private constructor(caller: AgentCaller, path: string, handle: FileHandle) {
    this.#caller = caller;
    this.#path = path;
    this.#handle = handle;
  }

  /** The pipe must be there. For reading and writing: otherwise the agent would stand still until a program reads. */
  static async open(caller: AgentCaller, path: string, signal: AbortSignal): Promise<InputPipe> {
    return new InputPipe(caller, path, await FileHandle.open(caller, path, 'r+', signal));
  }

  /** Hands all of it over, as fast as the program reads, and then ends the program's input. */
  async pump(source: AsyncIterable<Uint8Array | string>, signal: AbortSignal): Promise<void> {
    const iterator = source[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const next = await unlessAborted(iterator.next(), signal);
        ended = next.done === true;
        if (next.done) break;
        await this.#writeAll(typeof next.value === 'string' ? Buffer.from(next.value) : next.value, signal);
      }
      await this.#awaitReader(signal);
    } finally {
      // Not awaited: a source that waits for a person ends when it ends.
      if (!ended) Promise.resolve(iterator.return?.()).catch(() => {});
      await this.close();
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#handle.close();
    return this.#closed;
  }

  async #writeAll(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
      await this.#write(bytes.subarray(offset, offset + PIECE_BYTES), signal);
    }
  }

  async #write(piece: Uint8Array, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#buffer(piece, signal);
      try {
        return await this.#handle.flush({ signal });
      } catch (error) {
        // The pipe is full. The agent's C library has forgotten the piece then, glibc and musl alike: it goes once more.
        if (!isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) throw error;
        this.#flushFailed = true;
        await sleep(this.#caller.clock, RETRY_MS, signal);
      }
    }
  }

  async #buffer(piece: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await this.#handle.write(piece, { signal });
    } catch (error) {
      if (!this.#flushFailed || !isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) throw error;
    }
    this.#flushFailed = false;
  }

  /** A pipe that is closed before the program has opened it would keep the program waiting for ever; its name goes after that. */
  async #awaitReader(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await (await FileHandle.open(this.#caller, this.#path, 'r+', signal)).close();
      } catch (error) {
        if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) return;
        throw error;
      }
      await sleep(this.#caller.clock, RETRY_MS, signal);
    }
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const release = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(
      (value) => {
        release();
        resolve(value);
      },
      (error: unknown) => {
        release();
        reject(error);
      },
    );
  });
}
