import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOf, isAbout, parseKnownHosts, typeOfKey } from './entry.ts';
import { appendKnownHost, readKnownHosts } from './files.ts';
import { fingerprintOf, hostKeyAlgorithms, judge, namesOf } from './verdict.ts';

/** A key of a type with some content. */
function key(type: string, content: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(content)]);
}

const ED = key('ssh-ed25519', 'one');
const OTHER_ED = key('ssh-ed25519', 'two');
const RSA = key('ssh-rsa', 'three');
const line = (hosts: string, value: Buffer, marker = ''): string =>
  `${marker}${hosts} ${typeOfKey(value)} ${value.toString('base64')} a comment`;
const entriesOf = (...lines: string[]) => parseKnownHosts(lines.join('\n'), '/known');
const names = namesOf('Far.Example', 22, undefined);

describe('names of a host', () => {
  test.each([
    [namesOf('Far.Example', 22, undefined), ['far.example']],
    [namesOf('far', 2222, undefined), ['[far]:2222', 'far']],
    [namesOf('fe80::1', 2222, undefined), ['[fe80::1]:2222', 'fe80::1']],
    [namesOf('far', 2222, 'Alias'), ['alias']],
  ])('are %j', (found, expected) => {
    expect(found).toEqual(expected);
  });
});

describe('a pattern', () => {
  test.each([
    ['far.example', 'far.example', true],
    ['FAR.example', 'far.example', true],
    ['near,far.example', 'far.example', true],
    ['*.example', 'far.example', true],
    ['f?r.example', 'far.example', true],
    ['f?.example', 'far.example', false],
    ['*.example,!far.example', 'far.example', false],
    ['!far.example,*', 'far.example', false],
    ['!near,*', 'far.example', true],
    ['[far]:2222', '[far]:2222', true],
    ['[*]:2222', '[far]:2222', true],
    ['far', '[far]:2222', false],
    ['far.example.org', 'far.example', false],
    ['**a**', 'bab', true],
    ['', 'far', false],
    ['|1|bad', 'far', false],
    ['|2|c2FsdA==|aaaa', 'far', false],
  ])('%s is about %s: %s', (hosts, name, expected) => {
    expect(isAbout({ hosts }, name)).toBe(expected);
  });

  test('that is a hash is about its name alone', () => {
    const hosts = hashOf('[far]:2222', Buffer.from('salt'));
    expect(isAbout({ hosts }, '[far]:2222')).toBe(true);
    expect(isAbout({ hosts }, 'far')).toBe(false);
  });

  test('that is hostile takes no longer than others', () => {
    expect(isAbout({ hosts: `${'*a'.repeat(2000)}b` }, 'a'.repeat(2000))).toBe(false);
  });
});

describe('a file of known hosts', () => {
  test('passes lines over that are none', () => {
    const lines = [
      '',
      '# far ssh-ed25519 AAAA',
      'far',
      'far ssh-ed25519',
      'far ssh-ed25519 !!!',
      `@odd ${line('far', ED)}`,
    ];
    expect(entriesOf(...lines, `far ssh-rsa ${ED.toString('base64')}`, 'x'.repeat(70_000))).toEqual([]);
    expect(entriesOf(...lines, line('far', ED))).toMatchObject([{ line: 7, hosts: 'far', keyType: 'ssh-ed25519' }]);
  });

  test('may hold anything', () => {
    fc.assert(fc.property(fc.string(), (text) => void judge(parseKnownHosts(text, '/f'), names, ED)));
  });
});

describe('a key that a host shows', () => {
  test('is known by its line, a hash, or a pattern', () => {
    for (const hosts of ['far.example', hashOf('far.example', Buffer.from('salt')), '*.example']) {
      expect(judge(entriesOf(line(hosts, ED)), names, ED)).toEqual({ kind: 'known' });
    }
  });

  test('is known when one of several lines has it', () => {
    expect(judge(entriesOf(line('far.example', OTHER_ED), line('far.example', ED)), names, ED).kind).toBe('known');
  });

  test('has changed when another one of its type is known', () => {
    expect(judge(entriesOf(line('far.example', OTHER_ED)), names, ED)).toMatchObject({
      kind: 'changed',
      entry: { line: 1 },
    });
  });

  test('is unknown, not changed, when only other types are known', () => {
    const verdict = judge(entriesOf(line('far.example', RSA)), names, ED);
    expect(verdict).toMatchObject({ kind: 'unknown', otherTypes: [{ keyType: 'ssh-rsa' }] });
  });

  test('is unknown when nothing is known, or an authority alone', () => {
    expect(judge([], names, ED)).toEqual({ kind: 'unknown', otherTypes: [], hasAuthority: false });
    const authority = entriesOf(line('*.example', OTHER_ED, '@cert-authority '));
    expect(judge(authority, names, ED)).toEqual({ kind: 'unknown', otherTypes: [], hasAuthority: true });
    expect(judge(entriesOf(line('*.example', ED, '@cert-authority ')), names, ED).kind).toBe('unknown');
  });

  test('is revoked whatever else is known', () => {
    const entries = entriesOf(line('far.example', ED), line('*', ED, '@revoked '));
    expect(judge(entries, names, ED)).toMatchObject({ kind: 'revoked', entry: { line: 2 } });
    expect(judge(entriesOf(line('near', ED, '@revoked '), line('far.example', ED)), names, ED).kind).toBe('known');
  });

  test('on another port is vouched for, and not accused, by a line without a port', () => {
    const far = namesOf('far', 2222, undefined);
    expect(judge(entriesOf(line('far', ED)), far, ED).kind).toBe('known');
    expect(judge(entriesOf(line('far', OTHER_ED)), far, ED).kind).toBe('unknown');
    expect(judge(entriesOf(line('[far]:2222', OTHER_ED)), far, ED).kind).toBe('changed');
  });
});

describe('what a server is asked for', () => {
  test('begins with the types that can be checked', () => {
    expect(hostKeyAlgorithms(entriesOf(line('far.example', RSA)), names).slice(0, 3)).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
    ]);
    expect(hostKeyAlgorithms([], names)[0]).toBe('ssh-ed25519');
    expect(hostKeyAlgorithms([], names)).not.toContain('ssh-rsa');
  });
});

test('a fingerprint is printed as OpenSSH does', () => {
  expect(fingerprintOf(ED)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});

describe('a key that is written down', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warmvm-unit-known-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('makes file and folder for this user alone', async () => {
    const file = join(folder, 'new/known_hosts');
    await appendKnownHost(file, 'far.example', ED, false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o700);
    expect(judge(await readKnownHosts([file]), names, ED).kind).toBe('known');
  });

  test('does not run into a last line that was never ended', async () => {
    const file = join(folder, 'open');
    await writeFile(file, line('near', RSA));
    await appendKnownHost(file, 'far.example', ED, false);
    expect(await readKnownHosts([file])).toHaveLength(2);
  });

  test('loses nothing that others add at the same time', async () => {
    const file = join(folder, 'busy');
    await Promise.all(Array.from({ length: 20 }, (_, index) => appendKnownHost(file, `host${index}`, ED, false)));
    expect(await readKnownHosts([file])).toHaveLength(20);
  });

  test('is hashed where that is asked for', async () => {
    const file = join(folder, 'hashed');
    await appendKnownHost(file, 'far.example', ED, true);
    expect(await readFile(file, 'utf8')).not.toContain('far.example');
    expect(judge(await readKnownHosts([file]), names, ED).kind).toBe('known');
  });

  test('is read from files of which some are not there', async () => {
    expect(await readKnownHosts([join(folder, 'none'), join(folder, 'open/none')])).toEqual([]);
    await expect(readKnownHosts([folder])).rejects.toThrow();
  });
});
