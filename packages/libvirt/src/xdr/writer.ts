/** Appends XDR items to a buffer that grows up to a limit. */
export class XdrWriter {
  readonly #maxBytes: number;
  // Out of Node's pool: memory of its own for each small packet costs more than all that is written to it.
  #bytes: Buffer<ArrayBuffer>;
  #length = 0;

  /**
   * @param maxBytes Most bytes this writer takes; more is a RangeError.
   * @param firstBytes Bytes to make room for at the start.
   */
  constructor(maxBytes: number, firstBytes = 256) {
    this.#maxBytes = maxBytes;
    this.#bytes = Buffer.allocUnsafe(firstBytes);
  }

  /** Bytes written so far. */
  get lengthBytes(): number {
    return this.#length;
  }

  /** Appends an unsigned 32-bit integer. */
  u32(value: number): void {
    // First: growing replaces the buffer.
    const start = this.#grow(4);
    this.#bytes.writeUInt32BE(value, start);
  }

  /** Appends a signed 32-bit integer. */
  i32(value: number): void {
    const start = this.#grow(4);
    this.#bytes.writeInt32BE(value, start);
  }

  /** Appends an unsigned 64-bit integer. */
  u64(value: bigint): void {
    const start = this.#grow(8);
    this.#bytes.writeBigUInt64BE(value, start);
  }

  /** Appends a signed 64-bit integer. */
  i64(value: bigint): void {
    const start = this.#grow(8);
    this.#bytes.writeBigInt64BE(value, start);
  }

  /** Appends an IEEE double. */
  f64(value: number): void {
    const start = this.#grow(8);
    this.#bytes.writeDoubleBE(value, start);
  }

  /** Appends raw bytes and zero padding up to a multiple of 4. */
  raw(bytes: Uint8Array): void {
    const padded = bytes.byteLength + ((4 - (bytes.byteLength % 4)) % 4);
    const start = this.#grow(padded);
    this.#bytes.set(bytes, start);
    this.#bytes.fill(0, start + bytes.byteLength, start + padded);
  }

  /** Appends text of that many bytes in UTF-8, and zero padding up to a multiple of 4. */
  text(value: string, lengthBytes: number): void {
    const padded = lengthBytes + ((4 - (lengthBytes % 4)) % 4);
    const start = this.#grow(padded);
    this.#bytes.write(value, start, lengthBytes, 'utf8');
    this.#bytes.fill(0, start + lengthBytes, start + padded);
  }

  /** Appends raw bytes without padding; nothing may follow them. */
  unpadded(bytes: Uint8Array): void {
    const start = this.#grow(bytes.byteLength);
    this.#bytes.set(bytes, start);
  }

  /** Overwrites an unsigned 32-bit integer that was appended earlier. */
  patchU32(offset: number, value: number): void {
    this.#bytes.writeUInt32BE(value, offset);
  }

  /** What was written: a view on this writer's buffer, so write no more afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(lengthBytes: number): number {
    const start = this.#length;
    const end = start + lengthBytes;
    if (end > this.#maxBytes) {
      throw new RangeError(`arguments take more than ${this.#maxBytes} bytes, the most one libvirt packet can carry`);
    }
    if (end > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(end, this.#bytes.byteLength * 2)));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
    }
    this.#length = end;
    return start;
  }
}
