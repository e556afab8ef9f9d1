import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyQcow2 } from './empty-qcow2.ts';
import { readQcow2Header } from './qcow2-header.ts';

const MIB = 2 ** 20;
const CLUSTER = 65_536;

function read(image: Uint8Array): Buffer {
  return Buffer.from(image.buffer, image.byteOffset, image.byteLength);
}

describe('emptyQcow2', () => {
  test('is read back with the size it was made for, in four clusters up to 4 TiB', () => {
    const image = read(emptyQcow2({ virtualBytes: 10 * 2 ** 30 }));
    expect(readQcow2Header(image, '/d')).toEqual({ version: 3, virtualBytes: 10 * 2 ** 30 });
    expect(image.byteLength).toBe(4 * CLUSTER);
    expect(emptyQcow2({ virtualBytes: 4 * 2 ** 40 }).byteLength).toBe(4 * CLUSTER);
    expect(emptyQcow2({ virtualBytes: 16 * 2 ** 40 }).byteLength).toBe(7 * CLUSTER);
  });

  test('has tables that pass', () => {
    for (const virtualBytes of [512, 10 * 2 ** 30, 16 * 2 ** 40]) {
      const image = read(emptyQcow2({ virtualBytes }));
      expect(readQcow2Header(image, '/d', image.byteLength)).toMatchObject({ version: 3 });
    }
  });

  test.each<readonly [string, (image: Buffer) => unknown, RegExp]>([
    ['a first-level table of 2^31 entries', (image) => image.writeUInt32BE(2 ** 31, 36), /2147483648 entries/],
    ['a first-level table that is too short', (image) => image.writeUInt32BE(19, 36), /where its disk needs 20/],
    ['no first-level table', (image) => image.writeBigUInt64BE(0n, 40), /first-level table at offset 0/],
    ['a table between clusters', (image) => image.writeBigUInt64BE(65_537n, 40), /at offset 65537/],
    ['a table behind the end', (image) => image.writeBigUInt64BE(2n ** 40n, 40), /ends before the end/],
    ['a table at the end of all numbers', (image) => image.writeBigUInt64BE(2n ** 64n - 65_536n, 40), /ends before/],
    ['no reference counts', (image) => image.writeUInt32BE(0, 56), /no table of reference counts/],
    ['reference counts without end', (image) => image.writeUInt32BE(2 ** 31, 56), /table of reference counts of/],
    ['reference counts behind the end', (image) => image.writeBigUInt64BE(2n ** 40n, 48), /ends before the end/],
    ['a header longer than a cluster', (image) => image.writeUInt32BE(65_537, 100), /header of 65537 bytes/],
    ['a header that is too short', (image) => image.writeUInt32BE(72, 100), /header of 72 bytes/],
    ['reference counts of 128 bits', (image) => image.writeUInt32BE(7, 96), /2\^7 bits/],
  ])('damaged: %s is refused', (_what, damage, words) => {
    const image = read(emptyQcow2({ virtualBytes: 10 * 2 ** 30 }));
    damage(image);
    expect(() => readQcow2Header(image, '/d', image.byteLength)).toThrow(words);
  });

  test('truncated within its tables it is refused', () => {
    const image = read(emptyQcow2({ virtualBytes: 10 * 2 ** 30 }));
    expect(() => readQcow2Header(image, '/d', 65_600)).toThrow(/ends before the end of its/);
  });

  test('names its backing file and what that is, where the format says so', () => {
    const path = '/var/lib/größe, with a comma';
    const image = read(emptyQcow2({ virtualBytes: MIB, backing: { path, format: 'raw' } }));
    const offset = Number(image.readBigUInt64BE(8));
    expect(image.toString('utf8', offset, offset + image.readUInt32BE(16))).toBe(path);
    expect(image.readUInt32BE(104)).toBe(0xe2792aca);
    expect(image.toString('latin1', 112, 112 + image.readUInt32BE(108))).toBe('raw');
    expect(image.readBigUInt64BE(120)).toBe(0n);
  });

  test('counts every cluster it has exactly once, and points only at clusters it has', () => {
    const size = fc.integer({ min: 1, max: 2 ** 36 }).map((sectors) => sectors * 512);
    fc.assert(
      fc.property(size, (virtualBytes) => {
        const image = read(emptyQcow2({ virtualBytes }));
        const clusters = image.byteLength / CLUSTER;
        const counts = Array.from({ length: CLUSTER / 2 }, (_, cluster) =>
          image.readUInt16BE(2 * CLUSTER + 2 * cluster),
        );
        expect(counts.filter((count) => count === 1)).toHaveLength(clusters);
        expect(counts.slice(0, clusters).every((count) => count === 1)).toBe(true);
        expect(image.readUInt32BE(36) * 8).toBeLessThanOrEqual((clusters - 3) * CLUSTER);
        expect(image.readUInt32BE(36) * 2 ** 29).toBeGreaterThanOrEqual(virtualBytes);
      }),
      { numRuns: 60 },
    );
  });

  test.each([0, 511, -512, 2 ** 46, Number.NaN])('refuses a size of %s', (virtualBytes) => {
    expect(() => emptyQcow2({ virtualBytes })).toThrow(RangeError);
  });

  test.each(['relative', `/${'x'.repeat(1023)}`, '/a\0b'])('refuses the backing file %j', (path) => {
    expect(() => emptyQcow2({ virtualBytes: MIB, backing: { path, format: 'qcow2' } })).toThrow(/backing\.path/);
  });
});
