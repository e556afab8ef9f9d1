import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CpioEntry, writeCpio } from './cpio.ts';

const file = (path: string, text: string): CpioEntry => ({
  kind: 'file',
  path,
  data: Buffer.from(text),
  executable: false,
});

describe('writeCpio', () => {
  test('writes the bytes that the newc format prescribes', () => {
    const zero = '00000000';
    const header = `070701${'00000001'}${'000081a4'}${zero}${zero}${'00000001'}${zero}${'00000002'}`;
    const entry = `${header}${zero}${zero}${zero}${zero}${'00000002'}${zero}a\0`;
    const trailer = `070701${zero.repeat(4)}00000001${zero.repeat(6)}0000000b${zero}TRAILER!!!\0`;
    const expected = Buffer.concat([Buffer.from(`${entry}hi\0\0${trailer}`, 'latin1')], 512);
    expect(Buffer.from(writeCpio([file('a', 'hi')]))).toEqual(expected);
  });

  test('adds parent folders before what they hold', () => {
    expect(listWithCpio(writeCpio([file('b/c/d', 'x'), file('a', 'y')]))).toEqual(['a', 'b', 'b/c', 'b/c/d']);
  });

  test('gives the same bytes whatever the order of the entries', () => {
    const entries: CpioEntry[] = [
      file('x', '1'),
      { kind: 'link', path: 'y', target: 'x' },
      { kind: 'folder', path: 'z', mode: 0o700 },
      file('w/v', '2'),
    ];
    const expected = writeCpio(entries);
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        expect(writeCpio(shuffled)).toEqual(expected);
      }),
    );
  });

  test('keeps every content, whatever its length, as its own reader finds it', () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 });
    fc.assert(
      fc.property(contents, (data) => {
        const entries = data.map((bytes, index): CpioEntry => {
          return { kind: 'file', path: `f${index}`, data: bytes, executable: true };
        });
        expect(readContents(writeCpio(entries))).toEqual(data.map((bytes) => Buffer.from(bytes)));
      }),
    );
  });

  test.each(['/a', 'a//b', 'a/../b', './a', '', 'a\0b', 'TRAILER!!!'])('refuses the path %j', (path) => {
    expect(() => writeCpio([file(path, '')])).toThrow(TypeError);
  });

  test('refuses a path that is named twice', () => {
    expect(() => writeCpio([file('a', ''), file('a', '')])).toThrow(/names a twice/);
  });

  test('refuses a file below a file', () => {
    expect(() => writeCpio([file('a', ''), file('a/b', '')])).toThrow(/a is not a folder/);
  });
});

/** By the real `cpio` where there is one, else by the reader below. */
function listWithCpio(archive: Uint8Array): string[] {
  const result = spawnSync('cpio', ['--list', '--quiet'], { input: archive, encoding: 'utf8' });
  if (result.error !== undefined) return readEntries(archive).map(({ name }) => name);
  expect(result.status).toBe(0);
  return result.stdout.trim().split('\n');
}

function readContents(archive: Uint8Array): Buffer[] {
  return readEntries(archive).map(({ data }) => data);
}

function readEntries(archive: Uint8Array): { name: string; data: Buffer }[] {
  const bytes = Buffer.from(archive);
  const found: { name: string; data: Buffer }[] = [];
  for (let position = 0; ; ) {
    const field = (index: number): number =>
      Number.parseInt(bytes.toString('latin1', position + 6 + index * 8, position + 14 + index * 8), 16);
    const nameBytes = field(11);
    const name = bytes.toString('latin1', position + 110, position + 110 + nameBytes - 1);
    if (name === 'TRAILER!!!') return found;
    const dataAt = Math.ceil((position + 110 + nameBytes) / 4) * 4;
    found.push({ name, data: bytes.subarray(dataAt, dataAt + field(6)) });
    position = Math.ceil((dataAt + field(6)) / 4) * 4;
  }
}
