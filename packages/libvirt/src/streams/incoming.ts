import { protocolError } from '../error.ts';
import { XdrReader } from '../xdr/index.ts';

/** A piece of a stream: data, or a hole that reads as zeros. */
export type StreamPart =
  | { readonly type: 'data'; readonly data: Uint8Array }
  | { readonly type: 'hole'; readonly lengthBytes: bigint };

/** Buffered bytes from which on reading is held up. */
export const highWaterBytes = 1_048_576;

/** Bytes that every piece counts for in addition to its data, so that a flood of tiny ones is bounded too. */
const partCostBytes = 256;

interface Waiter {
  readonly resolve: (part: StreamPart | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What has arrived on a stream and was not read yet. */
export class IncomingParts {
  readonly #onPressure: (isHigh: boolean) => void;
  #parts: StreamPart[] = [];
  #bufferedBytes = 0;
  #isHigh = false;
  #waiter: Waiter | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** @param onPressure Told when the buffer becomes full, and when half of it is free again. */
  constructor(onPressure: (isHigh: boolean) => void) {
    this.#onPressure = onPressure;
  }

  /** Adds a piece; ignored after the end. */
  push(part: StreamPart): void {
    if (this.#end) return;
    const waiter = this.#waiter;
    if (waiter) {
      this.#waiter = undefined;
      waiter.resolve(part);
      return;
    }
    this.#parts.push(part);
    this.#account(costOf(part));
  }

  /** Nothing more will come: with an error the reader gets that after what is buffered. */
  finish(end: { readonly error?: unknown }): void {
    if (this.#end) return;
    this.#end = end;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (!waiter) return;
    if ('error' in end) waiter.reject(end.error);
    else waiter.resolve(undefined);
  }

  /** Throws away what is buffered. */
  discard(): void {
    this.#parts = [];
    this.#account(-this.#bufferedBytes);
  }

  /**
   * The next piece, or undefined at the end.
   * @throws the error of the stream, or TypeError when another read is under way.
   */
  take(): Promise<StreamPart | undefined> {
    const part = this.#parts.shift();
    if (part) {
      this.#account(-costOf(part));
      return Promise.resolve(part);
    }
    if (this.#end) return 'error' in this.#end ? Promise.reject(this.#end.error) : Promise.resolve(undefined);
    if (this.#waiter) return Promise.reject(new TypeError('a stream has one reader at a time; await the last read'));
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  #account(bytes: number): void {
    this.#bufferedBytes += bytes;
    const isHigh = this.#isHigh ? this.#bufferedBytes > highWaterBytes / 2 : this.#bufferedBytes > highWaterBytes;
    if (isHigh === this.#isHigh) return;
    this.#isHigh = isHigh;
    this.#onPressure(isHigh);
  }
}

/**
 * The hole that a packet announces.
 * @throws LibvirtError `LIBVIRT_PROTOCOL` when it is no hole.
 */
export function decodeHole(payload: Uint8Array): StreamPart {
  const reader = new XdrReader(payload);
  const lengthBytes = reader.i64();
  const flags = reader.u32();
  reader.end();
  if (lengthBytes < 0n) throw protocolError(`stream hole of ${lengthBytes} bytes`);
  if (flags !== 0) throw protocolError(`stream hole with unknown flags ${flags}`);
  return { type: 'hole', lengthBytes };
}

function costOf(part: StreamPart): number {
  return partCostBytes + (part.type === 'data' ? part.data.byteLength : 0);
}
