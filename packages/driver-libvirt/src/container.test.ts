import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { containerFor, containerHead } from './container.ts';

const image = { memoryBytes: 2 ** 28, boot: { diskBytes: 2 ** 26 } } as never;
const CLUSTER = 65_536;

/** The qcow2 behind the zeros, as the format's description reads it. */
function header(head: Uint8Array): DataView {
  return new DataView(head.buffer, head.byteOffset + CLUSTER);
}

describe('containerFor', () => {
  test('has room for the memory, twice the disk, and what the format needs', () => {
    expect(containerFor(image, 2 ** 31)).toEqual({
      offsetBytes: CLUSTER,
      sliceBytes: 2 ** 28 + 2 * 2 ** 26 + 2 ** 26,
      fileBytes: CLUSTER + 2 ** 28 + 3 * 2 ** 26,
    });
  });

  test('grows no further than it may', () => {
    expect(containerFor(image, 2 ** 24).sliceBytes).toBe(2 ** 28 + 2 ** 24 + 2 ** 26);
  });
});

describe('containerHead', () => {
  test('begins with one cluster of zeros, so that nobody recognises what follows', () => {
    expect(
      containerHead(2 ** 20)
        .subarray(0, CLUSTER)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  test('holds an empty qcow2 version 3 whose tables lie one after the other', () => {
    const qcow2 = header(containerHead(2 ** 26));
    expect(qcow2.getUint32(0)).toBe(0x514649fb);
    expect(qcow2.getUint32(4)).toBe(3);
    expect(qcow2.getBigUint64(8)).toBe(0n);
    expect(qcow2.getUint32(20)).toBe(16);
    expect(qcow2.getBigUint64(24)).toBe(2n ** 26n);
    expect(qcow2.getUint32(36)).toBe(1);
    expect(qcow2.getBigUint64(40)).toBe(BigInt(3 * CLUSTER));
    expect(qcow2.getBigUint64(48)).toBe(BigInt(CLUSTER));
    expect(qcow2.getUint32(56)).toBe(1);
    expect(qcow2.getUint32(96)).toBe(4);
    expect(qcow2.getUint32(100)).toBe(104);
    expect(qcow2.getBigUint64(CLUSTER)).toBe(BigInt(2 * CLUSTER));
    const counts = Array.from({ length: 5 }, (_, cluster) => qcow2.getUint16(2 * CLUSTER + 2 * cluster));
    expect(counts).toEqual([1, 1, 1, 1, 0]);
    expect(qcow2.byteLength).toBe(4 * CLUSTER);
  });

  test('gives a large disk as many entries and clusters as it needs', () => {
    const qcow2 = header(containerHead(2 ** 43));
    expect(qcow2.getUint32(36)).toBe(2 ** 14);
    expect(qcow2.byteLength).toBe(5 * CLUSTER);
    expect(qcow2.getUint16(2 * CLUSTER + 8)).toBe(1);
  });

  test('names its backing file and that file’s format', () => {
    const path = '/pool/base';
    const head = Buffer.from(containerHead(2 ** 20, path)).subarray(CLUSTER);
    expect(head.readUInt32BE(104)).toBe(0xe2792aca);
    expect(head.subarray(112, 112 + head.readUInt32BE(108)).toString()).toBe('qcow2');
    expect(head.readUInt32BE(120)).toBe(0);
    const offset = Number(head.readBigUInt64BE(8));
    expect(head.subarray(offset, offset + head.readUInt32BE(16)).toString()).toBe(path);
  });

  test('is, byte for byte, what qemu-img was seen to find free of errors', () => {
    const digest = createHash('sha256')
      .update(containerHead(2 ** 26))
      .digest('hex');
    expect(digest).toMatchInlineSnapshot(`"b17391d025e9a78e9b38c78644dd8bfb7c08bc6b69908db55b77c98927dd4d57"`);
  });
});
