import { protocolError } from '../error.ts';

/** Takes XDR items from bytes; never reads past their end and never trusts a length it has not checked. */
export class XdrReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not yet taken. */
  get remainingBytes(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  /** Takes an unsigned 32-bit integer. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** Takes a signed 32-bit integer. */
  i32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  /** Takes an unsigned 64-bit integer. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  /** Takes a signed 64-bit integer. */
  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8));
  }

  /** Takes an IEEE double. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** Takes `lengthBytes` raw bytes and their padding; the result is a view, not a copy. */
  raw(lengthBytes: number): Uint8Array {
    const padded = lengthBytes + ((4 - (lengthBytes % 4)) % 4);
    const start = this.#advance(padded);
    return this.#bytes.subarray(start, start + lengthBytes);
  }

  /** Takes a length word of an item of single bytes and checks it against its limit and the bytes left. */
  lengthWord(maxBytes: number, what: string): number {
    const length = this.u32();
    if (length > maxBytes) {
      throw protocolError(`${what} of ${length} bytes announced, the protocol allows ${maxBytes}`);
    }
    if (length > this.remainingBytes) {
      throw protocolError(`${what} of ${length} bytes announced, ${this.remainingBytes} are left in the packet`);
    }
    return length;
  }

  /** Takes a count word of an array and checks it against its limit and what the bytes left can hold at most. */
  countWord(max: number, minimumItemBytes: number): number {
    const count = this.u32();
    if (count > max) throw protocolError(`array of ${count} items announced, the protocol allows ${max}`);
    if (count * minimumItemBytes > this.remainingBytes) {
      throw protocolError(
        `array of ${count} items announced, only ${this.remainingBytes} bytes are left in the packet`,
      );
    }
    return count;
  }

  /**
   * Asserts that everything was taken.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` when bytes are left over.
   */
  end(): void {
    if (this.remainingBytes > 0) throw protocolError(`${this.remainingBytes} bytes left over at the end of a payload`);
  }

  #advance(lengthBytes: number): number {
    const start = this.#offset;
    if (lengthBytes > this.remainingBytes) {
      throw protocolError(`payload ends early: ${lengthBytes} bytes expected, ${this.remainingBytes} are left`);
    }
    this.#offset = start + lengthBytes;
    return start;
  }
}
