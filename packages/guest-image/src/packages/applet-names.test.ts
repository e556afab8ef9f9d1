import { describe, expect, test } from 'vitest';
import { APPLETS } from '../fixtures/fake-packages.ts';
import { appletNames } from './applet-names.ts';

const table = (...names: readonly string[]): Buffer => Buffer.from(`rodata\0${names.join('\0')}\0`);

describe('appletNames', () => {
  test.each([
    ['nothing', ''],
    ['text out of order', 'usage: none\0'],
    ['a path', '/var/log/\0'],
    ['zeros', '\0\0\0'],
  ])('reads the sorted table up to %s', (_, rest) => {
    expect(appletNames(Buffer.concat([table(...APPLETS), Buffer.from(rest)]))).toEqual(APPLETS);
  });

  test('takes names for what they are, and nothing that could be a path', () => {
    const names = [...APPLETS, 'zz/../etc'];
    expect(appletNames(table(...names))).toEqual(APPLETS);
  });

  test.each([
    ['no table', Buffer.from('no such thing')],
    ['a table that does not end', table(...APPLETS).subarray(0, 12)],
    ['no shell', table(...APPLETS.filter((name) => name !== 'sh'))],
  ])('refuses a file with %s', (_, bytes) => {
    expect(() => appletNames(bytes)).toThrow(expect.objectContaining({ code: 'WARMVM_GOLDEN_INVALID' }));
  });
});
