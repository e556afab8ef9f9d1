import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes to streams whose reader may go away, as in `warmvm run ... | head`. */
export class StandardOutput {
  readonly #gone = new AbortController();
  readonly #streams: readonly Writable[];
  readonly #onError = (error: Error): void => this.#gone.abort(error);

  constructor(...streams: readonly Writable[]) {
    this.#streams = streams;
    for (const stream of streams) stream.on('error', this.#onError);
  }

  /** Fires when nobody reads any more, or nothing more can be written, with the error that says why. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when more may be written. @throws the reason of {@link gone} */
  async write(stream: Writable, bytes: Uint8Array): Promise<void> {
    this.gone.throwIfAborted();
    if (!stream.write(bytes))
      await once(stream, 'drain', { signal: this.gone }).catch(() => this.gone.throwIfAborted());
  }

  /** Lets go of the streams. Late errors of a reader that went away stay harmless. */
  release(): void {
    if (this.gone.aborted) return;
    for (const stream of this.#streams) stream.off('error', this.#onError);
  }
}

/** Whether an error means that the reader went away. */
export function isBrokenPipe(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}
