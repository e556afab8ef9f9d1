import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  array,
  bytes,
  type Codec,
  f64,
  fixed,
  type Infer,
  i8,
  i32,
  i64,
  opaque,
  optional,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
  union,
  XdrReader,
  XdrWriter,
} from './index.ts';

function encode<Value>(codec: Codec<Value>, value: Value): string {
  const writer = new XdrWriter(10_000_000);
  codec.encode(writer, value);
  return Buffer.from(writer.finish()).toString('hex');
}

const decode = <Value>(codec: Codec<Value>, hex: string): Value => codec.decode(new XdrReader(Buffer.from(hex, 'hex')));

const protocolProblem = expect.objectContaining({ code: 'LIBVIRT_PROTOCOL' });

describe('the wire form', () => {
  test.each<[string, Codec<unknown>, unknown, string]>([
    ['i32', i32, -2, 'fffffffe'],
    ['u32', u32, 0xffff_fffe, 'fffffffe'],
    ['i8 in 4 bytes', i8, -1, 'ffffffff'],
    ['u8 in 4 bytes', u8, 255, '000000ff'],
    ['u16 in 4 bytes', u16, 65_535, '0000ffff'],
    ['i64', i64, -1n, 'ffffffffffffffff'],
    ['u64 beyond 2^53', u64, 2n ** 64n - 1n, 'ffffffffffffffff'],
    ['f64', f64, 1, '3ff0000000000000'],
    ['string with padding', string(), 'no', '000000026e6f0000'],
    ['string in UTF-8', string(), 'ü', '00000002c3bc0000'],
    ['empty string', string(), '', '00000000'],
    ['opaque', opaque(3), Uint8Array.of(1, 2, 3), '01020300'],
    ['bytes', bytes({ maxBytes: 9 }), Uint8Array.of(1), '0000000101000000'],
    ['missing value', optional(i32), undefined, '00000000'],
    ['present value', optional(i32), 5, '0000000100000005'],
    ['array', array(i32, { max: 3 }), [1, 2], '000000020000000100000002'],
    ['array without count', fixed(i32, 2), [1, 2], '0000000100000002'],
    ['struct in order', struct({ b: i32, a: u8 }), { b: 1, a: 2 }, '0000000100000002'],
    ['union', union({ a: [1, i32], b: [7, string()] }), { type: 'b', value: '' }, '0000000700000000'],
  ])('of %s is that of RFC 4506', (_name, codec, value, hex) => {
    expect(encode(codec, value)).toBe(hex);
    expect(decode(codec, hex)).toEqual(value);
  });

  test('of null is that of a missing value', () => {
    expect(encode(optional(i32), null as unknown as undefined)).toBe('00000000');
  });

  test('of flags with bit 31 set by an operator is unsigned', () => {
    expect(encode(u32, 0x8000_0000 | 1)).toBe('80000001');
    expect(decode(u32, '80000001')).toBe(0x8000_0001);
  });

  test('survives a round trip for any value', () => {
    const codec = struct({ a: u64, b: array(optional(string()), { max: 9 }), c: f64, d: bytes({ maxBytes: 99 }) });
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(
        fc.record({
          a: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          b: fc.array(fc.option(text, { nil: undefined }), { maxLength: 9 }),
          c: fc.double({ noNaN: true }),
          d: fc.uint8Array({ maxLength: 99 }),
        }),
        (value) => {
          expect(decode(codec, encode(codec, value))).toEqual(value);
        },
      ),
    );
  });

  test('has types that follow from the codecs', () => {
    const codec = struct({ a: i32, b: optional(u64), c: array(string(), { max: 1 }) });
    expectTypeOf<Infer<typeof codec>>().toEqualTypeOf<{ a: number; b: bigint | undefined; c: readonly string[] }>();
  });
});

describe('a value of the wrong kind', () => {
  test.each<[string, Codec<unknown>, unknown]>([
    ['text for a number', i32, '1'],
    ['a fraction', i32, 1.5],
    ['not a number', u32, Number.NaN],
    ['a number below its range', i32, -(2 ** 31) - 1],
    ['a number below the range of flags', u32, -(2 ** 31) - 1],
    ['a number above its range', u8, 256],
    ['a number for a bigint', u64, 1],
    ['an object for a bigint', u64, {}],
    ['a bigint above its range', u64, 2n ** 64n],
    ['a negative bigint', u64, -1n],
    ['text for a double', f64, '1'],
    ['a number for text', string(), 1],
    ['nothing for text', string(), undefined],
    ['text with a zero character', string(), 'a\0b'],
    ['text that is too long', string({ maxBytes: 3 }), 'aaaa'],
    ['text that is too long in bytes', string({ maxBytes: 3 }), 'üü'],
    ['text for raw bytes', opaque(2), 'ab'],
    ['too few raw bytes', opaque(2), Uint8Array.of(1)],
    ['text for bytes', bytes({ maxBytes: 2 }), 'ab'],
    ['too many bytes', bytes({ maxBytes: 2 }), new Uint8Array(3)],
    ['no array', array(i32, { max: 1 }), 'ab'],
    ['too many items', array(i32, { max: 1 }), [1, 2]],
    ['a wrong count of items', fixed(i32, 2), [1]],
    ['null for a struct', struct({ a: i32 }), null],
    ['an unknown case', union({ a: [1, i32] }), { type: 'b', value: 1 }],
    ['nothing for a union', union({ a: [1, i32] }), undefined],
  ])('is refused: %s', (_name, codec, value) => {
    let error: unknown;
    try {
      encode(codec, value);
    } catch (caught) {
      error = caught;
    }
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  });

  test('is named with the way to it', () => {
    const codec = struct({ dom: struct({ id: i32, uuid: opaque(16) }) });
    const uuid = new Uint8Array(16);
    expect(() => encode(codec, { dom: { id: 'x' as unknown as number, uuid } })).toThrow('dom: id: a signed 32-bit');
    expect(() => encode(codec, { dom: { id: 1, uuid: uuid.subarray(1) } })).toThrow('dom: uuid: exactly 16 bytes');
  });

  test('leaves other errors as they are', () => {
    const problem = new Error('other');
    const throwing: Codec<number> = {
      minimumBytes: 0,
      encode() {
        throw problem;
      },
      decode: () => 0,
    };
    expect(() => encode(struct({ a: throwing }), { a: 1 })).toThrow(problem);
  });
});

describe('hostile bytes', () => {
  test.each<[string, Codec<unknown>, string]>([
    ['too few for an integer', i32, '0000'],
    ['too few for a bigint', u64, '00000000'],
    ['a flag of 2', optional(i32), '0000000200000001'],
    ['a string longer than the rest', string(), '0000000561626364'],
    ['a string above its limit', string({ maxBytes: 3 }), '0000000461626364'],
    ['a giant string', string(), 'ffffffff'],
    ['a string without its padding', string(), '0000000161'],
    ['bytes above their limit', bytes({ maxBytes: 2 }), '0000000301020300'],
    ['an array above its limit', array(i32, { max: 1 }), '000000020000000100000002'],
    ['an array longer than the rest', array(i32, { max: 1_000_000 }), '0000ffff00000001'],
    ['an unknown case', union({ a: [1, i32] }), '0000000200000001'],
    ['an integer outside its type', u8, '00000100'],
  ])('are refused: %s', (_name, codec, hex) => {
    expect(() => decode(codec, hex)).toThrow(protocolProblem);
  });

  test('left over at the end are refused', () => {
    const reader = new XdrReader(new Uint8Array(5));
    reader.u32();
    expect(() => reader.end()).toThrow(protocolProblem);
  });

  test('that are not UTF-8 still give a string', () => {
    expect(decode(string(), '00000001ff000000')).toBe('\ufffd');
  });

  test('cannot be changed through what was decoded from them', () => {
    const source = Buffer.from('01020304', 'hex');
    const value = opaque(4).decode(new XdrReader(source));
    value[0] = 9;
    expect(source[0]).toBe(1);
  });
});

test('a writer grows up to its limit and no further', () => {
  const writer = new XdrWriter(1000);
  for (let index = 0; index < 250; index += 1) writer.u32(index);
  expect(() => writer.u32(0)).toThrow(RangeError);
  expect(writer.lengthBytes).toBe(1000);
  expect(new XdrReader(writer.finish()).u32()).toBe(0);
});
