import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../fixtures/temporary-folder.ts';
import { buildTinyImage } from '../image/build-tiny-image.ts';
import { createAptSource } from './apt-source.ts';
import type { PackageSource, SourcePackage } from './package-source.ts';

const DEB = 'what a package file holds';
const SHA = createHash('sha256').update(DEB).digest('hex');
const a1: SourcePackage = { name: 'a1', version: '1:2-3', sha256: SHA, dependencies: [] };

afterEach(() => vi.unstubAllEnvs());

/** Makes `apt-cache`, `apt-get` and `dpkg-deb` scripts of a test, which log their arguments. */
async function withTools(
  folder: TemporaryFolder,
  tools: Readonly<Record<string, string>>,
  foreign?: string,
): Promise<{ source: PackageSource; log: () => Promise<string> }> {
  const programs = join(folder.path, 'programs');
  const logFile = join(folder.path, 'log');
  await mkdir(programs);
  for (const [name, script] of Object.entries(tools)) {
    await writeFile(join(programs, name), `#!/bin/sh\necho "${name} $*" >> ${logFile}\n${script}\n`);
    await chmod(join(programs, name), 0o755);
  }
  vi.stubEnv('PATH', `${programs}:/usr/bin:/bin`);
  const source = createAptSource({
    listsDirectory: join(folder.path, 'apt'),
    statePaths: [join(folder.path, 'state')],
    ...(foreign === undefined ? {} : { foreign }),
  });
  return { source, log: () => readFile(logFile, 'utf8').catch(() => '') };
}

const SHOW_A1 = `printf 'Package: a1\\nVersion: 1:2-3\\nSHA256: ${SHA}\\n\\nPackage: other\\nVersion: 1\\nSHA256: ${SHA}\\n'`;
const SAVE_A1 = `printf '%s' '${DEB}' > a1_1%3a2-3_amd64.deb`;

describe('resolve', () => {
  test('asks apt-cache once for all names and gives only those', async () => {
    await using folder = await temporaryFolder();
    const { source, log } = await withTools(folder, { 'apt-cache': SHOW_A1 });
    expect([...(await source.resolve(['a1', 'b2'], {})).values()]).toEqual([a1]);
    expect(await log()).toBe('apt-cache show --no-all-versions -- a1 b2\n');
  });

  test('asks nothing for no names', async () => {
    await using folder = await temporaryFolder();
    const { source, log } = await withTools(folder, {});
    expect((await source.resolve([], {})).size).toBe(0);
    expect(await log()).toBe('');
  });

  test('refuses what is no package name', async () => {
    await using folder = await temporaryFolder();
    const { source } = await withTools(folder, {});
    await expect(source.resolve(['--option'], {})).rejects.toThrow(TypeError);
  });

  test('fetches lists into a folder of its own when the machine has none, and uses them from then on', async () => {
    await using folder = await temporaryFolder();
    const lists = join(folder.path, 'apt');
    const { source, log } = await withTools(folder, {
      'apt-cache': `case "$*" in *State::Lists*) ${SHOW_A1} ;; *) exit 100 ;; esac`,
      'apt-get': `case "$*" in *update) ;; *) ${SAVE_A1} ;; esac`,
      'dpkg-deb': 'mkdir -p "$3"',
    });
    expect((await source.resolve(['a1'], {})).has('a1')).toBe(true);
    await source.unpack([a1], folder.path, {});
    const lines = (await log()).split('\n');
    expect(lines[1]).toContain(`-oDir::State::Lists=${join(lists, 'lists')} -oDir::Cache=${join(lists, 'cache')}`);
    expect(lines.join()).not.toContain('APT::Architecture');
    expect(lines[1]).toMatch(/-q update$/);
    expect(lines[3]).toContain('Dir::State::Lists');
  });

  test('says to run apt-get update when lists cannot be had', async () => {
    await using folder = await temporaryFolder();
    const tools = { 'apt-cache': 'exit 100', 'apt-get': 'echo "E: no network" >&2; exit 100' };
    const { source } = await withTools(folder, tools);
    await expect(source.resolve(['a1'], {})).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_MISSING',
      retryable: true,
      message: expect.stringMatching(/E: no network.*Run `apt-get update`/),
    });
  });

  test('asks an apt of another architecture with lists that it has just fetched, whatever dpkg is set up for', async () => {
    await using folder = await temporaryFolder();
    const tools = {
      'apt-cache': SHOW_A1,
      'apt-get': `case "$*" in *update) ;; *) ${SAVE_A1} ;; esac`,
      'dpkg-deb': 'mkdir -p "$3"',
    };
    const { source, log } = await withTools(folder, tools, 'arm64');
    await source.resolve(['a1'], {});
    await source.resolve(['a1', 'b2'], {});
    await source.unpack([a1], folder.path, {});
    const lines = (await log()).trim().split('\n');
    expect(lines.map((line) => line.replace(/ -o.* -q| -o.*(?= show)/, ''))).toEqual([
      'apt-get update',
      'apt-cache show --no-all-versions -- a1',
      'apt-cache show --no-all-versions -- a1 b2',
      'apt-get download -- a1=1:2-3',
      expect.stringContaining('dpkg-deb --extract'),
    ]);
    for (const line of lines.slice(0, 4)) {
      expect(line).toContain('-oAPT::Architecture=arm64 -oAPT::Architectures=arm64 -oDir::State::status=/dev/null');
      expect(line).toContain(`-oDir::State::Lists=${join(folder.path, 'apt', 'lists')}`);
    }
  });

  test('does with the lists it has where others cannot be fetched', async () => {
    await using folder = await temporaryFolder();
    const tools = { 'apt-cache': SHOW_A1, 'apt-get': 'echo "E: no network" >&2; exit 100' };
    const { source } = await withTools(folder, tools, 'arm64');
    expect((await source.resolve(['a1'], {})).has('a1')).toBe(true);
  });

  test('says that mirrors may not carry another architecture', async () => {
    await using folder = await temporaryFolder();
    const tools = { 'apt-cache': 'exit 100', 'apt-get': 'echo "E: 404" >&2; exit 100' };
    const { source } = await withTools(folder, tools, 'arm64');
    await expect(source.resolve(['a1'], {})).rejects.toThrow(/E: 404.*that its mirrors carry arm64/);
  });

  test('says what to do where there is no apt', async () => {
    await using folder = await temporaryFolder();
    vi.stubEnv('PATH', folder.path);
    const attempt = buildTinyImage({ cacheDir: join(folder.path, 'cache'), architecture: 'x86_64' });
    await expect(attempt).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      message: expect.stringMatching(/^The program apt-cache is not there.*on Debian.*describeDiskImage/),
    });
  });
});

describe('unpack', () => {
  test('downloads exact versions, checks digests, unpacks each into its folder, and tidies up', async () => {
    await using folder = await temporaryFolder();
    const { source, log } = await withTools(folder, { 'apt-get': SAVE_A1, 'dpkg-deb': 'mkdir -p "$3"' });
    const target = join(folder.path, 'target');
    await mkdir(target);
    await source.unpack([a1], target, {});
    expect(await readdir(target)).toEqual(['a1']);
    expect(await log()).toMatch(
      /^apt-get -q download -- a1=1:2-3\ndpkg-deb --extract .*a1_1%3a2-3_amd64\.deb .*\/a1\n$/,
    );
  });

  test('does nothing for no packages', async () => {
    await using folder = await temporaryFolder();
    const { source, log } = await withTools(folder, {});
    await source.unpack([], folder.path, {});
    expect(await log()).toBe('');
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    [
      'a download that fails',
      { 'apt-get': 'echo "E: 404" >&2; exit 100' },
      'WARMVM_GOLDEN_MISSING',
      /failed for a1=1:2-3 \(E: 404\)\. Run `apt-get update`/,
    ],
    ['a download without a word', { 'apt-get': 'exit 7' }, 'WARMVM_GOLDEN_MISSING', /\(exit code 7\)/],
    ['a download of nothing', { 'apt-get': 'exit 0' }, 'WARMVM_GOLDEN_INVALID', /downloaded no file for a1/],
    [
      'a file with another digest',
      { 'apt-get': 'echo forged > a1_1_amd64.deb' },
      'WARMVM_GOLDEN_INVALID',
      /has the digest sha256:.*expected sha256:/,
    ],
    [
      'a package that does not unpack',
      { 'apt-get': SAVE_A1, 'dpkg-deb': 'echo "not a package" >&2; exit 2' },
      'WARMVM_GOLDEN_INVALID',
      /cannot unpack .* \(not a package\)/,
    ],
  ])('rejects for %s', async (_, tools, code, message) => {
    await using folder = await temporaryFolder();
    const { source } = await withTools(folder, tools);
    await expect(source.unpack([a1], folder.path, {})).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('fingerprint', () => {
  test('stays while the state stays, and changes when it changes', async () => {
    await using folder = await temporaryFolder();
    const { source } = await withTools(folder, {});
    const absent = await source.fingerprint({});
    expect(await source.fingerprint({})).toBe(absent);
    await writeFile(join(folder.path, 'state'), 'now there');
    expect(await source.fingerprint({})).not.toBe(absent);
  });

  test('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    const source = createAptSource({ listsDirectory: '/nowhere' });
    await expect(source.fingerprint({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
