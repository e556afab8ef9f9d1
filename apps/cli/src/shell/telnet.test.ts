import { describe, expect, test } from 'vitest';
import { encodeTyped, encodeWindow, TelnetDecoder } from './telnet.ts';

/** What Debian's busybox 1.35 `telnetd -i -l /bin/sh` sent first. */
const GREETING = Buffer.from('fffd01fffd1ffffb01fffb030d0d0a2f2023201b5b366e', 'hex');

function decodeIn(pieces: readonly Uint8Array[]): string {
  const decoder = new TelnetDecoder();
  return Buffer.concat(pieces.map((piece) => decoder.decode(piece))).toString('latin1');
}

describe('what the guest sends', () => {
  test('is taken apart the same way whole and byte by byte', () => {
    const text = '\r\r\n/ # \u001b[6n';
    expect(decodeIn([GREETING])).toBe(text);
    expect(decodeIn([...GREETING].map((byte) => Uint8Array.of(byte)))).toBe(text);
  });

  test('may hold the byte 255, doubled, and blocks, which are left out', () => {
    expect(decodeIn([Uint8Array.of(65, 255, 255, 66, 255, 250, 24, 1, 255, 255, 9, 255, 240, 67)])).toBe('A\u00ffBC');
  });
});

test('what was typed doubles 255 and marks the end of a carriage return', () => {
  expect([...encodeTyped(Uint8Array.of(97, 13, 255, 3))]).toEqual([97, 13, 0, 255, 255, 3]);
});

test('the size of a window is told in two bytes each, 255 doubled', () => {
  expect([...encodeWindow({ columns: 300, rows: 255 })]).toEqual([
    255, 251, 31, 255, 250, 31, 1, 44, 0, 255, 255, 255, 240,
  ]);
});
