import type { FileHandle } from './file-handle.ts';

/** Reads a file of the guest as it grows, up to a bound. */
export class OutputTail {
  readonly #handle: FileHandle;
  readonly #chunkBytes: number;
  readonly #onBytes: (bytes: Uint8Array) => void | Promise<void>;
  #leftBytes: number;
  #truncated = false;

  constructor(
    handle: FileHandle,
    chunkBytes: number,
    maxBytes: number,
    onBytes: (bytes: Uint8Array) => void | Promise<void>,
  ) {
    this.#handle = handle;
    this.#chunkBytes = chunkBytes;
    this.#leftBytes = maxBytes;
    this.#onBytes = onBytes;
  }

  /** There was more than the bound. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** Hands over the next piece of what is there; resolves with whether there was anything. One piece: the other stream has its turn then. */
  async drain(signal: AbortSignal): Promise<boolean> {
    if (this.#truncated) return false;
    // One byte over the bound tells output that is cut from output that just fits.
    const chunk = await this.#handle.read(Math.min(this.#chunkBytes, this.#leftBytes + 1), { signal });
    this.#truncated = chunk.bytes.length > this.#leftBytes;
    const bytes = chunk.bytes.subarray(0, this.#leftBytes);
    this.#leftBytes -= bytes.length;
    if (bytes.length > 0) await this.#onBytes(bytes);
    return chunk.bytes.length > 0;
  }
}
