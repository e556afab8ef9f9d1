import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { XdrReader, XdrWriter } from '../xdr/index.ts';
import { codecOf, type Notation } from './notation.ts';

type StructField = readonly [name: string, type: string, max?: number];

const { structs } = JSON.parse(readFileSync(new URL('../fixtures/procedures.json', import.meta.url), 'utf8')) as {
  readonly structs: Readonly<Record<string, readonly StructField[]>>;
};

const structOf: Readonly<Record<string, string>> = {
  Domain: 'domain',
  Network: 'network',
  TypedParam: 'param',
  DomainIpAddr: 'DomainIpAddr',
};

interface Encoded {
  readonly value: unknown;
  readonly bytes: Buffer;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function bigWord(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

const scalars: Readonly<Record<string, fc.Arbitrary<Encoded>>> = {
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value) => ({ value, bytes: word(value) })),
  u32: fc.nat(2 ** 31 - 1).map((value) => ({ value, bytes: word(value) })),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ value, bytes: bigWord(value) })),
  u64: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((value) => ({ value, bytes: bigWord(value) })),
  string: fc
    .string({ maxLength: 9 })
    .filter((value) => !value.includes('\0'))
    .map((value) => ({ value, bytes: Buffer.concat([word(Buffer.byteLength(value)), padded(Buffer.from(value))]) })),
  bytes: fc
    .uint8Array({ maxLength: 9 })
    .map((value) => ({ value, bytes: Buffer.concat([word(value.length), padded(Buffer.from(value))]) })),
  chars: fc
    .string({ maxLength: 9 })
    .filter((value) => !value.includes('\0'))
    .map((value) => {
      const items = [...Buffer.from(`${value}\0`)].map((byte) => word((byte << 24) >> 24));
      return { value, bytes: Buffer.concat([word(items.length), ...items]) };
    }),
  'opaque[16]': fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => ({ value, bytes: Buffer.from(value) })),
  'union:TypedParamValue': fc
    .nat(2 ** 31 - 1)
    .map((value) => ({ value: { type: 'uint', value }, bytes: Buffer.concat([word(2), word(value)]) })),
};

/** Values of a type of the fixture with their bytes, made without the codecs under test. */
function encodedOf(type: string): fc.Arbitrary<Encoded> {
  const inner = /^(optional|array)<(.*)>$/.exec(type);
  if (inner?.[1] === 'optional') {
    const missing = { value: undefined, bytes: word(0) };
    const present = encodedOf(inner[2] ?? '').map(({ value, bytes }) => ({
      value,
      bytes: Buffer.concat([word(1), bytes]),
    }));
    return fc.oneof(fc.constant(missing), present);
  }
  if (inner) {
    return fc.array(encodedOf(inner[2] ?? ''), { maxLength: 3 }).map((items) => ({
      value: items.map(({ value }) => value),
      bytes: Buffer.concat([word(items.length), ...items.map(({ bytes }) => bytes)]),
    }));
  }
  if (type.startsWith('struct:')) return encodedStruct(structOf[type.slice(7)] ?? '');
  return scalars[type] as fc.Arbitrary<Encoded>;
}

function encodedStruct(name: string): fc.Arbitrary<Encoded> {
  const fields = structs[name] ?? [];
  return fc.tuple(...fields.map(([, type]) => encodedOf(type))).map((items) => ({
    value: Object.fromEntries(items.map(({ value }, index) => [fields[index]?.[0], value])),
    bytes: Buffer.concat(items.map(({ bytes }) => bytes)),
  }));
}

const names = Object.keys(structs).filter((name) => name !== 'DomainIpAddr');

test.each(names)('%s travels as the protocol lays it out', (name) => {
  const codec = codecOf(name as Notation);
  fc.assert(
    fc.property(encodedStruct(name), ({ value, bytes }) => {
      const reader = new XdrReader(bytes);
      expect(codec.decode(reader)).toEqual(value);
      expect(reader.remainingBytes).toBe(0);
      const writer = new XdrWriter(1_000_000);
      codec.encode(writer, value);
      expect(Buffer.from(writer.finish()).equals(bytes)).toBe(true);
    }),
    { numRuns: 40 },
  );
});
