import { protocolError } from '../error.ts';
import type { Codec, Infer } from './codec.ts';
import type { XdrReader } from './reader.ts';
import { describe, i8 } from './scalars.ts';
import type { XdrWriter } from './writer.ts';

/** A value that may be missing; null counts as missing when sent. */
export function optional<Value>(inner: Codec<Value>): Codec<Value | undefined> {
  return {
    minimumBytes: 4,
    encode(writer: XdrWriter, value: Value | undefined): void {
      const isPresent = value !== undefined && value !== null;
      writer.u32(isPresent ? 1 : 0);
      if (isPresent) inner.encode(writer, value);
    },
    decode(reader: XdrReader): Value | undefined {
      const flag = reader.u32();
      if (flag > 1) throw protocolError(`flag of an optional value is ${flag}, 0 or 1 expected`);
      return flag === 1 ? inner.decode(reader) : undefined;
    },
  };
}

/** Any number of items up to `max`, with their count. */
export function array<Value>(inner: Codec<Value>, options: { readonly max: number }): Codec<readonly Value[]> {
  const { max } = options;
  return {
    minimumBytes: 4,
    encode(writer: XdrWriter, value: readonly Value[]): void {
      if (!Array.isArray(value)) throw new TypeError(`an array expected, got ${describe(value)}`);
      if (value.length > max) throw new RangeError(`${value.length} items given, the protocol allows at most ${max}`);
      writer.u32(value.length);
      for (const item of value) inner.encode(writer, item);
    },
    decode(reader: XdrReader): readonly Value[] {
      const count = reader.countWord(max, inner.minimumBytes);
      return repeat(count, () => inner.decode(reader));
    },
  };
}

/** Exactly `count` items, without a count on the wire. */
export function fixed<Value>(inner: Codec<Value>, count: number): Codec<readonly Value[]> {
  return {
    minimumBytes: count * inner.minimumBytes,
    encode(writer: XdrWriter, value: readonly Value[]): void {
      if (!Array.isArray(value) || value.length !== count) throw new TypeError(`an array of ${count} items expected`);
      for (const item of value) inner.encode(writer, item);
    },
    decode: (reader: XdrReader) => repeat(count, () => inner.decode(reader)),
  };
}

/**
 * Text that the protocol sends as single characters, each of which takes 4 bytes, and ends at the first zero.
 * `count` is for a field of fixed length without a count on the wire, `max` for one with a count.
 */
export function chars(options: { readonly count: number } | { readonly max: number }): Codec<string> {
  const isFixed = 'count' in options;
  const inner = isFixed ? fixed(i8, options.count) : array(i8, options);
  return {
    minimumBytes: inner.minimumBytes,
    encode(writer: XdrWriter, value: string): void {
      if (typeof value !== 'string') throw new TypeError(`a string expected, got a ${typeof value}`);
      const items = Array.from(Buffer.from(`${value}\0`), (byte) => (byte << 24) >> 24);
      while (isFixed && items.length < options.count) items.push(0);
      inner.encode(writer, items);
    },
    decode(reader: XdrReader): string {
      const text = Buffer.from(inner.decode(reader).map((item) => item & 0xff));
      const end = text.indexOf(0);
      return text.toString('utf8', 0, end < 0 ? text.length : end);
    },
  };
}

/** Named fields in the order in which they are written here. */
export function struct<Fields extends Readonly<Record<string, Codec<unknown>>>>(
  fields: Fields,
): Codec<{ [Name in keyof Fields]: Infer<Fields[Name]> }> {
  const entries = Object.entries(fields) as [string, Codec<unknown>][];
  return {
    minimumBytes: entries.reduce((total, [, codec]) => total + codec.minimumBytes, 0),
    encode(writer, value): void {
      if (typeof value !== 'object' || value === null)
        throw new TypeError(`an object expected, got ${describe(value)}`);
      for (const [name, codec] of entries) {
        encodeField(writer, name, codec, (value as Record<string, unknown>)[name]);
      }
    },
    decode(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = codec.decode(reader);
      return value as { [Name in keyof Fields]: Infer<Fields[Name]> };
    },
  };
}

/** One case of a {@link union}: the number on the wire and the codec of the value. */
export type UnionCase = readonly [discriminant: number, codec: Codec<unknown>];

/** The TypeScript type of a {@link union}: `type` is the name of the case. */
export type UnionValue<Cases extends Readonly<Record<string, UnionCase>>> = {
  [Name in keyof Cases]: { readonly type: Name; readonly value: Infer<Cases[Name][1]> };
}[keyof Cases];

/** A number that tells the type, then the value of that type. */
export function union<Cases extends Readonly<Record<string, UnionCase>>>(cases: Cases): Codec<UnionValue<Cases>> {
  const byName = new Map(Object.entries(cases) as [string, readonly [number, Codec<unknown>]][]);
  const byNumber = new Map([...byName].map(([name, [discriminant, codec]]) => [discriminant, { name, codec }]));
  return {
    minimumBytes: 4 + Math.min(...[...byName.values()].map(([, codec]) => codec.minimumBytes)),
    encode(writer, value): void {
      const found = byName.get(String(value?.type));
      if (!found)
        throw new TypeError(`type one of ${[...byName.keys()].join(', ')} expected, got ${describe(value?.type)}`);
      writer.i32(found[0]);
      found[1].encode(writer, value.value);
    },
    decode(reader) {
      const discriminant = reader.i32();
      const found = byNumber.get(discriminant);
      if (!found) throw protocolError(`unknown type ${discriminant} of a union`);
      return { type: found.name, value: found.codec.decode(reader) } as UnionValue<Cases>;
    },
  };
}

function encodeField(writer: XdrWriter, name: string, codec: Codec<unknown>, value: unknown): void {
  try {
    codec.encode(writer, value);
  } catch (cause) {
    if (cause instanceof TypeError) throw new TypeError(`${name}: ${cause.message}`, { cause });
    if (cause instanceof RangeError) throw new RangeError(`${name}: ${cause.message}`, { cause });
    throw cause;
  }
}

function repeat<Value>(count: number, make: () => Value): Value[] {
  const items: Value[] = [];
  for (let index = 0; index < count; index += 1) items.push(make());
  return items;
}
