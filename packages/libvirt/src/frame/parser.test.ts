import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLibvirtError } from '../error.ts';
import { goldenDaemonBytes } from '../testing/golden-session.ts';
import { encodePacket } from './encode.ts';
import { maxPacketBytes, type Packet } from './header.ts';
import { FrameParser } from './parser.ts';

function parse(chunks: Iterable<Uint8Array>): Packet[] {
  const parser = new FrameParser();
  const packets: Packet[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let packet = parser.next(); packet; packet = parser.next()) packets.push(packet);
  }
  return packets;
}

function* cut(bytes: Uint8Array, sizes: Iterable<number>): Generator<Uint8Array> {
  let offset = 0;
  for (const size of sizes) {
    if (offset >= bytes.byteLength) return;
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
  yield bytes.subarray(offset);
}

const plain = (packets: readonly Packet[]) =>
  packets.map((packet) => ({ ...packet, payload: Buffer.from(packet.payload).toString('hex') }));

const whole = plain(parse([goldenDaemonBytes]));

function withHeader(offset: number, value: number): Uint8Array {
  const bytes = encodePacket({ program: 1, procedure: 1, type: 1, serial: 1, status: 0 });
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, value);
  return bytes;
}

describe('FrameParser', () => {
  test('finds every packet of a recorded session', () => {
    expect(whole.length).toBeGreaterThan(20);
    expect(whole[0]).toMatchObject({ program: 0x2000_8086, procedure: 66, type: 1, serial: 1, status: 0 });
    expect(whole.some(({ type }) => type === 2)).toBe(true);
  });

  test('gives the same packets when fed one byte at a time', () => {
    expect(plain(parse(Array.from(goldenDaemonBytes, (byte) => Uint8Array.of(byte))))).toEqual(whole);
  });

  test('gives the same packets however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (sizes) => {
        expect(plain(parse(cut(goldenDaemonBytes, sizes)))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('knows that a truncated packet is not whole', () => {
    const parser = new FrameParser();
    parser.push(goldenDaemonBytes.subarray(0, 30));
    expect(parser.next()).toBeUndefined();
    expect(parser.isMidPacket).toBe(true);
  });

  test('is between packets after a whole one', () => {
    const parser = new FrameParser();
    parser.push(encodePacket({ program: 1, procedure: 1, type: 1, serial: 1, status: 0 }));
    expect(parser.next()).toBeDefined();
    expect(parser.isMidPacket).toBe(false);
  });

  test.each([0, 4, 27, maxPacketBytes + 1, 0xffff_ffff])('refuses a length word of %i', (length) => {
    expect(() => parse([withHeader(0, length)])).toThrow(expect.objectContaining({ code: 'LIBVIRT_PROTOCOL' }));
  });

  test('takes the largest packet the protocol allows', () => {
    const bytes = encodePacket({ program: 1, procedure: 1, type: 3, serial: 1, status: 2 }, new Uint8Array(33_554_408));
    expect(parse([bytes])[0]?.payload.byteLength).toBe(33_554_408);
  });

  test('does not allocate what a length word only announces', () => {
    const parser = new FrameParser();
    const before = process.memoryUsage().arrayBuffers;
    parser.push(withHeader(0, maxPacketBytes));
    expect(parser.next()).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
  });

  test('takes a large packet of single bytes in linear time', { timeout: 60_000 }, () => {
    const bytes = encodePacket({ program: 1, procedure: 1, type: 3, serial: 1, status: 2 }, new Uint8Array(1_000_000));
    let copied = 0;
    const set = Uint8Array.prototype.set;
    Uint8Array.prototype.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number) {
      copied += source.length;
      set.call(this, source, offset);
    };
    try {
      expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toHaveLength(1);
    } finally {
      Uint8Array.prototype.set = set;
    }
    expect(copied).toBeLessThan(4 * bytes.byteLength);
  });

  test.each([
    ['a version other than 1', 8, 2],
    ['a call', 16, 0],
    ['a call with file descriptors', 16, 4],
    ['a reply with file descriptors', 16, 5],
    ['an unknown type', 16, 7],
    ['a negative type', 16, 0xffff_ffff],
    ['an unknown status', 24, 3],
  ])('refuses %s', (_what, offset, value) => {
    expect(() => parse([withHeader(offset, value)])).toThrow(expect.objectContaining({ code: 'LIBVIRT_PROTOCOL' }));
  });

  test('stays broken after an error', () => {
    const parser = new FrameParser();
    parser.push(withHeader(0, 3));
    expect(() => parser.next()).toThrow('packet of 3 bytes');
    parser.push(goldenDaemonBytes);
    expect(() => parser.next()).toThrow('packet of 3 bytes');
  });

  test('gives the packets before a broken one first', () => {
    const parser = new FrameParser();
    parser.push(Buffer.concat([withHeader(20, 9), withHeader(0, 3)]));
    expect(parser.next()?.serial).toBe(9);
    expect(() => parser.next()).toThrow('packet of 3 bytes');
  });

  test('insists that packets are taken before more bytes come', () => {
    const parser = new FrameParser();
    parser.push(goldenDaemonBytes);
    expect(() => parser.push(goldenDaemonBytes)).toThrow('take all packets');
  });

  test('never throws anything but a libvirt error on mutated bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(goldenDaemonBytes.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 50 }),
        (mutations, sizes) => {
          const bytes = Uint8Array.from(goldenDaemonBytes);
          for (const [offset, value] of mutations) bytes[offset] = value;
          try {
            parse(cut(bytes, sizes));
          } catch (error) {
            expect(isLibvirtError(error)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
