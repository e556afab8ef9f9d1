import { expect, test } from 'vitest';
import { XdrReader, XdrWriter } from '../xdr/index.ts';
import { param, type TypedParamValue, typedParams } from './typed-param.ts';
import { uuidFromString, uuidToString } from './uuid.ts';

const values: [number, TypedParamValue][] = [
  [1, { type: 'int', value: -1 }],
  [2, { type: 'uint', value: 0xffff_ffff }],
  [3, { type: 'llong', value: -(2n ** 63n) }],
  [4, { type: 'ullong', value: 2n ** 64n - 1n }],
  [5, { type: 'double', value: 1.5 }],
  [6, { type: 'boolean', value: 1 }],
  [7, { type: 'string', value: 'x' }],
];

test.each(values)('a typed parameter of type %i survives the wire', (number, value) => {
  const writer = new XdrWriter(1000);
  param.encode(writer, { field: 'f', value });
  const bytes = writer.finish();
  expect(Buffer.from(bytes).readInt32BE(8)).toBe(number);
  expect(param.decode(new XdrReader(bytes))).toEqual({ field: 'f', value });
});

test('typed parameters become a map of plain values', () => {
  const params = values.map(([number, value]) => ({ field: `f${number}`, value }));
  const map = typedParams([...params, { field: '__proto__', value: { type: 'int', value: 3 } }]);
  expect(map.get('f4')).toBe(2n ** 64n - 1n);
  expect(map.get('f6')).toBe(true);
  expect(map.get('f7')).toBe('x');
  expect(map.get('__proto__')).toBe(3);
});

const uuidText = '6695eb01-f6a4-8304-79aa-97f2502e193f';

test('a UUID goes from text to bytes and back', () => {
  expect(uuidToString(uuidFromString(uuidText))).toBe(uuidText);
  expect(uuidToString(uuidFromString(uuidText.replaceAll('-', '').toUpperCase()))).toBe(uuidText);
});

test.each(['', 'x', `${uuidText}0`, '6695eb01f6a4-8304-79aa-97f2502e193f', uuidText.replace('6', 'g')])(
  'the text %j is no UUID',
  (text) => {
    expect(() => uuidFromString(text)).toThrow(TypeError);
  },
);

test('bytes of another length are no UUID', () => {
  expect(() => uuidToString(new Uint8Array(15))).toThrow(RangeError);
});
