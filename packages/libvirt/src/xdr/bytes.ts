import type { Codec } from './codec.ts';
import type { XdrReader } from './reader.ts';
import { describeType } from './scalars.ts';
import type { XdrWriter } from './writer.ts';

/** Longest string of the protocol, in bytes (REMOTE_STRING_MAX of libvirt 9.0.0). */
export const stringMaxBytes = 4_194_304;

const decoder = new TextDecoder('utf-8');

/**
 * Text: byte length, UTF-8, padding. Bytes that are not UTF-8 are decoded with replacement characters, since
 * guests and file names may contain anything.
 */
export function string(options: { readonly maxBytes?: number } = {}): Codec<string> {
  const { maxBytes = stringMaxBytes } = options;
  return {
    minimumBytes: 4,
    encode(writer: XdrWriter, value: string): void {
      if (typeof value !== 'string') throw new TypeError(`a string expected, got ${describeType(value)}`);
      // A string that ends at its first zero byte on the other side would name something else than was asked for.
      if (value.includes('\0')) throw new TypeError('a string without zero characters expected; libvirt cuts it there');
      if (value.length > maxBytes) throw tooLong(value.length, maxBytes);
      const lengthBytes = Buffer.byteLength(value, 'utf8');
      if (lengthBytes > maxBytes) throw tooLong(lengthBytes, maxBytes);
      writer.u32(lengthBytes);
      writer.text(value, lengthBytes);
    },
    decode: (reader: XdrReader) => decoder.decode(reader.raw(reader.lengthWord(maxBytes, 'string'))),
  };
}

/** Exactly `lengthBytes` raw bytes, such as the 16 of a UUID. */
export function opaque(lengthBytes: number): Codec<Uint8Array> {
  return {
    minimumBytes: lengthBytes + ((4 - (lengthBytes % 4)) % 4),
    encode(writer: XdrWriter, value: Uint8Array): void {
      if (!(value instanceof Uint8Array)) throw new TypeError(`a Uint8Array expected, got ${describeType(value)}`);
      if (value.byteLength !== lengthBytes) {
        throw new RangeError(`exactly ${lengthBytes} bytes expected, got ${value.byteLength}`);
      }
      writer.raw(value);
    },
    decode: (reader: XdrReader) => Uint8Array.from(reader.raw(lengthBytes)),
  };
}

/** Raw bytes with their length, at most `maxBytes`. */
export function bytes(options: { readonly maxBytes: number }): Codec<Uint8Array> {
  const { maxBytes } = options;
  return {
    minimumBytes: 4,
    encode(writer: XdrWriter, value: Uint8Array): void {
      if (!(value instanceof Uint8Array)) throw new TypeError(`a Uint8Array expected, got ${describeType(value)}`);
      if (value.byteLength > maxBytes) throw tooLong(value.byteLength, maxBytes);
      writer.u32(value.byteLength);
      writer.raw(value);
    },
    decode: (reader: XdrReader) => Uint8Array.from(reader.raw(reader.lengthWord(maxBytes, 'bytes'))),
  };
}

function tooLong(lengthBytes: number, maxBytes: number): RangeError {
  return new RangeError(`${lengthBytes} bytes given, the protocol allows at most ${maxBytes}`);
}
