import { describe, expect, test } from 'vitest';
import { ByteBuffer } from './byte-buffer.ts';

describe('a byte buffer', () => {
  test('gives what was appended and is empty afterwards', () => {
    const buffer = new ByteBuffer(10);
    buffer.append(Buffer.from('ab'));
    buffer.append(Buffer.from('ü'));
    expect(buffer.take()).toBe('abü');
    expect(buffer.takeBytes()).toHaveLength(0);
  });

  test('takes as much as its limit and not one byte more', () => {
    const buffer = new ByteBuffer(3);
    expect(buffer.append(Buffer.from('abc'))).toBe(true);
    expect(buffer.append(Buffer.from('d'))).toBe(false);
    expect(buffer.take()).toBe('abc');
  });

  test('reserves at most twice its limit when bytes come one by one', () => {
    const buffer = new ByteBuffer(100_000);
    while (buffer.append(Buffer.of(1)));
    expect(buffer.reservedBytes).toBeLessThanOrEqual(200_000);
  });

  test('gives back the memory of a long line', () => {
    const buffer = new ByteBuffer(100_000);
    buffer.append(Buffer.alloc(90_000));
    buffer.clear();
    expect(buffer.reservedBytes).toBe(0);
  });
});
