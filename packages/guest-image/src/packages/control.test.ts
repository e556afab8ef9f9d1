import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePackages, parseRelations } from './control.ts';

const SHA = 'a'.repeat(64);

describe('parsePackages', () => {
  test('reads name, version, digest and dependencies', () => {
    const text = `Package: libfoo1\nVersion: 1:2.0-3+b1\nPre-Depends: dpkg\nDepends: libc6 (>= 2.34),\n libbar | libbaz\nDescription: it\n is: folded\nSHA256: ${SHA}\n`;
    expect(parsePackages(text).get('libfoo1')).toEqual({
      name: 'libfoo1',
      version: '1:2.0-3+b1',
      sha256: SHA,
      dependencies: [['dpkg'], ['libc6'], ['libbar', 'libbaz']],
    });
  });

  test('keeps the first of two descriptions of one name', () => {
    const stanza = (version: string): string => `Package: a1\nVersion: ${version}\nSHA256: ${SHA}\n`;
    expect(parsePackages(`${stanza('2')}\n${stanza('1')}`).get('a1')?.version).toBe('2');
  });

  test.each([
    ['a name that could be an option', `Package: -oDir=x\nVersion: 1\nSHA256: ${SHA}`],
    ['a name that could be a path', `Package: ../x\nVersion: 1\nSHA256: ${SHA}`],
    ['no digest', 'Package: a1\nVersion: 1'],
    ['no version', `Package: a1\nSHA256: ${SHA}`],
    ['a version with a blank', `Package: a1\nVersion: 1 -x\nSHA256: ${SHA}`],
  ])('leaves out a description with %s', (_, text) => {
    expect(parsePackages(text).size).toBe(0);
  });

  test('only ever gives names and versions that are safe as arguments', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, version) => {
        for (const found of parsePackages(`Package: ${name}\nVersion: ${version}\nSHA256: ${SHA}`).values()) {
          expect(found.name).toMatch(/^[a-z0-9][a-z0-9.+-]*$/);
          expect(found.version).toMatch(/^[0-9][A-Za-z0-9.+:~-]*$/);
        }
      }),
    );
  });
});

describe('parseRelations', () => {
  test('drops versions, architectures and qualifiers', () => {
    expect(parseRelations('perl:any, libc6 (>= 2), foo [amd64] | bar <!nocheck>')).toEqual([
      ['perl'],
      ['libc6'],
      ['foo', 'bar'],
    ]);
  });

  test('finds nothing in an absent field', () => {
    expect(parseRelations(undefined)).toEqual([]);
  });
});
