const SMALLEST_BYTES = 4096;

/** Collects bytes up to a bound. Grows by doubling, so that what comes byte by byte costs no more than its length. */
export class ByteBuffer {
  readonly #limitBytes: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes that are set aside; never more than twice the limit. */
  get reservedBytes(): number {
    return this.#bytes.length;
  }

  /** False, and nothing is kept, when it would be more than the limit. */
  append(part: Uint8Array): boolean {
    const length = this.#length + part.length;
    if (length > this.#limitBytes) return false;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(SMALLEST_BYTES, length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#length);
    this.#length = length;
    return true;
  }

  /** Empties the buffer and gives its UTF-8 text. */
  take(): string {
    const text = Buffer.from(this.#bytes.buffer, 0, this.#length).toString('utf8');
    this.clear();
    return text;
  }

  /** Empties the buffer and gives a copy of its bytes. */
  takeBytes(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length);
    this.clear();
    return bytes;
  }

  /** Forgets the bytes, and gives back the memory of many. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > SMALLEST_BYTES) this.#bytes = new Uint8Array(0);
  }
}
