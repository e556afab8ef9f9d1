import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cloudSeed } from './cloud-seed.ts';
import { iso9660 } from './iso9660.ts';

const SECTOR = 2048;

/** Files of the image by one of its trees, as ECMA-119 says to read it. */
function filesOf(image: Uint8Array, tree: 'primary' | 'joliet'): Record<string, string> {
  const bytes = Buffer.from(image);
  const descriptor = bytes.subarray((tree === 'primary' ? 16 : 17) * SECTOR);
  expect(descriptor.toString('latin1', 1, 6)).toBe('CD001');
  let at = descriptor.readUInt32LE(156 + 2) * SECTOR;
  const end = at + descriptor.readUInt32BE(156 + 14);
  const files: Record<string, string> = {};
  for (; at < end && bytes[at] !== 0; at += bytes[at] ?? 0) {
    expect(bytes.readUInt32LE(at + 2)).toBe(bytes.readUInt32BE(at + 6));
    const raw = Buffer.from(bytes.subarray(at + 33, at + 33 + (bytes[at + 32] ?? 0)));
    if (raw.byteLength === 1) continue;
    const name = tree === 'primary' ? raw.toString('latin1') : raw.swap16().toString('utf16le');
    const start = bytes.readUInt32LE(at + 2) * SECTOR;
    files[name] = bytes.toString('utf8', start, start + bytes.readUInt32LE(at + 10));
  }
  return files;
}

describe('iso9660', () => {
  test('holds whatever files it was given, in both trees', () => {
    const name = fc.stringMatching(/^[a-z0-9-]{1,28}$/);
    const file = fc.record({ name, content: fc.uint8Array({ maxLength: 5000 }) });
    fc.assert(
      fc.property(fc.uniqueArray(file, { maxLength: 12, selector: ({ name: key }) => key }), (files) => {
        const image = iso9660('label', files);
        expect(image.byteLength % SECTOR).toBe(0);
        const expected = Object.fromEntries(
          files.map((each) => [each.name, Buffer.from(each.content).toString('utf8')]),
        );
        expect(filesOf(image, 'joliet')).toEqual(expected);
        const upper = Object.entries(expected).map(([key, content]) => [`${key.toUpperCase()}.;1`, content]);
        expect(filesOf(image, 'primary')).toEqual(Object.fromEntries(upper));
      }),
      { numRuns: 50 },
    );
  });

  test.each(['', 'with space', 'x'.repeat(17)])('refuses the label %j', (label) => {
    expect(() => iso9660(label, [])).toThrow(RangeError);
  });

  test('refuses names and numbers of files that do not fit', () => {
    const content = new Uint8Array();
    expect(() => iso9660('a', [{ name: '../x', content }])).toThrow(/name is/);
    const many = Array.from({ length: 60 }, (_, index) => ({ name: `file-${index}`, content }));
    expect(() => iso9660('a', many)).toThrow(/60 files/);
  });
});

describe('cloudSeed', () => {
  test('says what cloud-init looks for', () => {
    const image = cloudSeed({ userData: { packages: ['qemu-guest-agent'] }, networkConfig: { version: 2 } });
    expect(filesOf(image, 'joliet')).toEqual({
      'user-data': '#cloud-config\n{"packages":["qemu-guest-agent"]}\n',
      'network-config': '{"version":2}\n',
      'meta-data': expect.stringMatching(/^\{"instance-id":"warmvm-[0-9a-f]{16}"\}\n$/),
    });
    expect(Buffer.from(image).toString('latin1', 16 * SECTOR + 40, 16 * SECTOR + 46)).toBe('cidata');
  });

  test('is the same for the same seed, and another instance for another', () => {
    const one = cloudSeed({ userData: '#!/bin/sh\n' });
    expect(Buffer.from(one).equals(cloudSeed({ userData: '#!/bin/sh\n' }))).toBe(true);
    const other = cloudSeed({ userData: '#!/bin/sh\necho\n' });
    expect(filesOf(other, 'joliet')['meta-data']).not.toBe(filesOf(one, 'joliet')['meta-data']);
  });

  test('escapes what YAML does not print', () => {
    const image = cloudSeed({ userData: '', metaData: { name: 'a\u0085\u2028\x7f: #"\'{é' } });
    expect(filesOf(image, 'joliet')['meta-data']).toContain('"name":"a\\u0085\\u2028\\u007f: #\\"\'{é"');
  });

  test('refuses what YAML would not carry', () => {
    expect(() => cloudSeed({ userData: { a: Number.NaN } })).toThrow(/userData: a is NaN/);
    expect(() => cloudSeed({ userData: { a: undefined as never } })).toThrow(TypeError);
    expect(() => cloudSeed({ userData: '', networkConfig: [] as never })).toThrow(/networkConfig is \[\]/);
    expect(() => cloudSeed({ userData: 'x'.repeat(2 ** 20 + 1) })).toThrow(/user-data has 1048577 bytes/);
  });
});
