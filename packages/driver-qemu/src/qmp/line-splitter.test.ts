import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter, LineTooLong } from './line-splitter.ts';

/** The bytes in chunks that end at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

describe('LineSplitter', () => {
  test('gives the same lines however the bytes are cut', { timeout: 60_000 }, () => {
    const line = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (lines, places) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const splitter = new LineSplitter(1024);
        const got = cut(bytes, places).flatMap((chunk) => splitter.push(chunk));
        expect(got).toEqual(lines.map((text) => Buffer.from(text).toString()));
      }),
    );
  });

  test('keeps what has no end yet', () => {
    const splitter = new LineSplitter(10);
    expect(splitter.push(Buffer.from('abc'))).toEqual([]);
    expect(splitter.push(Buffer.from('d\nef'))).toEqual(['abcd']);
    expect(splitter.push(Buffer.from('\n'))).toEqual(['ef']);
  });

  test('takes lines of the limit and none above it', () => {
    const splitter = new LineSplitter(4);
    expect(splitter.push(Buffer.from('abcd\nabcd\n'))).toEqual(['abcd', 'abcd']);
    expect(splitter.push(Buffer.from('abcd'))).toEqual([]);
    expect(() => splitter.push(Buffer.from('e'))).toThrow(LineTooLong);
  });
});
