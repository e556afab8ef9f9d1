import { INPUT_WINDOW_BYTES } from '../protocol/limits.ts';

/** Input of a program on its way from a client: bounded by what the client was allowed to send. */
export class InputQueue implements AsyncIterable<Uint8Array> {
  readonly #onTaken: (sizeBytes: number) => void;
  readonly #pieces: Uint8Array[] = [];
  #allowedBytes: number;
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  /** @param onTaken told that so many bytes were taken, and may be sent again */
  constructor(onTaken: (sizeBytes: number) => void, allowedBytes: number = INPUT_WINDOW_BYTES) {
    this.#onTaken = onTaken;
    this.#allowedBytes = allowedBytes;
  }

  /** Whether the piece was allowed. */
  push(piece: Uint8Array): boolean {
    if (this.#end !== undefined || piece.byteLength > this.#allowedBytes) return false;
    this.#allowedBytes -= piece.byteLength;
    this.#pieces.push(piece);
    this.#wake?.();
    return true;
  }

  /** The input ends, with an error when it could not be read. */
  end(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#allowedBytes += piece.byteLength;
        this.#onTaken(piece.byteLength);
        yield piece;
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
