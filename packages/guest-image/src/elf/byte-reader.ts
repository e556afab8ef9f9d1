import { invalidGolden } from '../invalid.ts';

/** Reads little-endian numbers and strings from untrusted bytes; whatever lies outside is a typed error. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;

  /** @param what names the bytes in errors, such as a path */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** An error that names these bytes. */
  invalid(problem: string, cause?: unknown): Error {
    return invalidGolden(`${this.#what}: ${problem}.`, { file: this.#what }, cause);
  }

  unsigned16(offset: number): number {
    return this.slice(offset, 2).readUInt16LE();
  }

  unsigned32(offset: number): number {
    return this.slice(offset, 4).readUInt32LE();
  }

  /** A 64-bit number; above 2^53 - 1 it becomes infinity, which no bounds check lets through. */
  unsigned64(offset: number): number {
    const value = this.slice(offset, 8).readBigUInt64LE();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(value);
  }

  slice(offset: number, length: number): Buffer {
    const end = offset + length;
    if (!(offset >= 0 && length >= 0 && end <= this.#bytes.length)) {
      throw this.invalid(`truncated or damaged (${length} bytes at ${offset} of ${this.#bytes.length})`);
    }
    return this.#bytes.subarray(offset, end);
  }

  /** The text up to the next NUL, which must come before `limit`. */
  text(offset: number, limit: number): string {
    const region = this.slice(offset, limit - offset);
    const end = region.indexOf(0);
    if (end < 0) throw this.invalid(`a string at ${offset} does not end`);
    return region.toString('latin1', 0, end);
  }
}
