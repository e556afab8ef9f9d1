import { protocolError } from '../error.ts';
import type { Codec } from './codec.ts';
import type { XdrReader } from './reader.ts';
import type { XdrWriter } from './writer.ts';

function integer(name: string, minimum: number, maximum: number, signed: boolean): Codec<number> {
  return {
    minimumBytes: 4,
    encode(writer: XdrWriter, value: number): void {
      if (typeof value !== 'number') throw new TypeError(`${name} expected, got ${describe(value)}; pass a number`);
      if (!Number.isInteger(value) || value < minimum || value > maximum) {
        throw new RangeError(`${name} expected, got ${value}; pass an integer from ${minimum} to ${maximum}`);
      }
      if (signed) writer.i32(value);
      else writer.u32(value);
    },
    decode(reader: XdrReader): number {
      const value = signed ? reader.i32() : reader.u32();
      if (value < minimum || value > maximum) throw protocolError(`${name} expected, got ${value}`);
      return value;
    },
  };
}

function bigInteger(name: string, minimum: bigint, maximum: bigint, signed: boolean): Codec<bigint> {
  return {
    minimumBytes: 8,
    encode(writer: XdrWriter, value: bigint): void {
      if (typeof value !== 'bigint') {
        throw new TypeError(`${name} expected, got ${describe(value)}; pass a bigint such as 0n`);
      }
      if (value < minimum || value > maximum) {
        throw new RangeError(`${name} expected, got ${value}; pass a bigint from ${minimum} to ${maximum}`);
      }
      if (signed) writer.i64(value);
      else writer.u64(value);
    },
    decode: signed ? (reader) => reader.i64() : (reader) => reader.u64(),
  };
}

/** What a wrong value is, for an error message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
}

/** The type of a wrong value and not the value: where text and bytes are expected it may be a password. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Signed 32-bit integer. */
export const i32: Codec<number> = integer('a signed 32-bit integer', -0x8000_0000, 0x7fff_ffff, true);

/** A number of flag bits or another unsigned 32-bit integer; bit 31 set by `|` (a negative number) is made unsigned. */
export const u32: Codec<number> = (() => {
  const plain = integer('an unsigned 32-bit integer', 0, 0xffff_ffff, false);
  return {
    minimumBytes: 4,
    encode(writer: XdrWriter, value: number): void {
      const isNegativeI32 = Number.isInteger(value) && value < 0 && value >= -0x8000_0000;
      plain.encode(writer, isNegativeI32 ? value >>> 0 : value);
    },
    decode: (reader: XdrReader) => reader.u32(),
  };
})();

/** Signed char, sent as a 4-byte integer. */
export const i8: Codec<number> = integer('a signed 8-bit integer', -0x80, 0x7f, true);

/** Unsigned char, sent as a 4-byte integer. */
export const u8: Codec<number> = integer('an unsigned 8-bit integer', 0, 0xff, false);

/** Unsigned short, sent as a 4-byte integer. */
export const u16: Codec<number> = integer('an unsigned 16-bit integer', 0, 0xffff, false);

/** Signed 64-bit integer, always a bigint: real values exceed 2^53. */
export const i64: Codec<bigint> = bigInteger('a signed 64-bit integer', -(2n ** 63n), 2n ** 63n - 1n, true);

/** Unsigned 64-bit integer, always a bigint: real values exceed 2^53. */
export const u64: Codec<bigint> = bigInteger('an unsigned 64-bit integer', 0n, 2n ** 64n - 1n, false);

/** IEEE double. */
export const f64: Codec<number> = {
  minimumBytes: 8,
  encode(writer: XdrWriter, value: number): void {
    if (typeof value !== 'number') throw new TypeError(`a double expected, got ${describe(value)}; pass a number`);
    writer.f64(value);
  },
  decode: (reader: XdrReader) => reader.f64(),
};
