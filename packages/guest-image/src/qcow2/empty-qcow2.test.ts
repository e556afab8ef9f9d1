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
