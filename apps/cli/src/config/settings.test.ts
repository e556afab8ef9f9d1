import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SettingsFlags } from './settings.ts';
import { readSettings } from './settings.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

function read(flags: SettingsFlags = {}, environment: Record<string, string> = {}) {
  return readSettings(flags, { folder, environment });
}

const json = (config: unknown, name = 'warmvm.config.json'): Promise<void> =>
  writeFile(join(folder, name), JSON.stringify(config));

async function mistake(config: unknown): Promise<string> {
  await json(config);
  return read().then(
    () => 'accepted',
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

describe('settings', () => {
  test('are the tiny image and nobody’s driver where nobody said anything', async () => {
    expect(await read()).toEqual({ drivers: [], image: 'tiny', pool: {}, configPath: undefined, folder });
  });

  test.each([
    ['ts', "import type {} from 'node:fs';\nexport default { driver: 'fake' as string, pool: { max: 3 } };"],
    ['mts', "const driver: string = 'fake';\nexport default { driver, pool: { max: 3 } };"],
    ['mjs', "export default { driver: 'fake', pool: { max: 3 } };"],
    ['js', "export default { driver: 'fake', pool: { max: 3 } };"],
    ['json', '{ "driver": "fake", "pool": { "max": 3 } }'],
  ])('are read from warmvm.config.%s of a folder above', async (extension, text) => {
    const path = join(folder, `warmvm.config.${extension}`);
    await writeFile(path, text);
    const below = join(folder, 'a', 'b');
    await mkdir(below, { recursive: true });
    const settings = await readSettings({}, { folder: below, environment: {} });
    expect(settings).toEqual({ drivers: [{ use: 'fake' }], image: 'tiny', pool: { max: 3 }, configPath: path, folder });
  });

  test('come from the command line above the environment above the file, each part by itself', async () => {
    await json({ driver: 'fake', image: 'tiny', pool: { max: 3, minReady: 1, name: 'file' } });
    const environment = {
      WARMVM_DRIVER: 'libvirt',
      WARMVM_URI: 'qemu:///session',
      WARMVM_MAX: '5',
      WARMVM_POOL: 'env',
    };
    expect(await read({ max: 7 }, environment)).toMatchObject({
      drivers: [{ use: 'libvirt', options: { uri: 'qemu:///session' } }],
      pool: { max: 7, minReady: 1, name: 'env' },
    });
    expect(await read({ driver: './mine.ts' }, environment)).toMatchObject({ drivers: [{ use: './mine.ts' }] });
  });

  test('name an image by a path from where it was said: the configuration’s folder, or here', async () => {
    await json({ image: './a.qcow2' });
    expect((await read()).image).toBe('./a.qcow2');
    const below = join(folder, 'below');
    await mkdir(below);
    const here = { folder: below, environment: { WARMVM_IMAGE: './b.qcow2' } };
    expect((await readSettings({}, here)).image).toBe(join(below, 'b.qcow2'));
    expect((await readSettings({ image: 'a/b.qcow2' }, here)).image).toBe(join(below, 'a/b.qcow2'));
    expect((await readSettings({ image: 'b.qcow2' }, here)).image).toBe('b.qcow2');
  });

  test('may name several hosts', async () => {
    await json({ drivers: ['fake', { use: 'libvirt', options: { uri: 'qemu:///system' }, max: 2 }] });
    expect((await read()).drivers).toEqual([
      { use: 'fake' },
      { use: 'libvirt', options: { uri: 'qemu:///system' }, max: 2 },
    ]);
  });

  test('come from the file that is named, not from the nearest', async () => {
    await json({ driver: 'fake' });
    await json({ driver: 'libvirt' }, 'other.json');
    expect((await read({ config: join(folder, 'other.json') })).drivers).toEqual([{ use: 'libvirt' }]);
    expect((await read({}, { WARMVM_CONFIG: join(folder, 'other.json') })).drivers).toEqual([{ use: 'libvirt' }]);
  });
});

describe('a mistake in a configuration is told with its place, what was expected and what is there', () => {
  test.each([
    [{ pool: { minReady: 'three' } }, /pool\.minReady: .*expected number.* \(there is "three"\)/],
    [{ pool: { max: 0 } }, /pool\.max: .*>=1.* \(there is 0\)/],
    [{ pool: { maxx: 1 } }, /pool: .*"maxx"/],
    [{ drivr: 'fake' }, /the configuration: .*"drivr"/],
    [{ driver: 'fake', drivers: ['fake'] }, /drivers: give either driver or drivers, not both/],
    [{ drivers: [] }, /drivers: /],
    [{ driver: { use: 'libvirt', optionz: {} } }, /driver: .*"optionz"/],
    [{ driver: 5 }, /driver: /],
    [{ image: { disk: 'a.qcow2', memoryBytes: 1.5 } }, /image\.memoryBytes: .*\(there is 1\.5\)/],
    [{ image: { disk: 'a.qcow2', network: 'tap' } }, /image\.network: .*"none"\|"user"/],
    [{ pool: { name: 'a b' } }, /pool\.name: must have 1 to 40 letters/],
    [[], /the configuration: .*expected object/],
  ])('%j', async (config, expected) => {
    const told = await mistake(config);
    expect(told).toMatch(/^ConfigError: .*warmvm\.config\.json is not a configuration:\n/);
    expect(told).toMatch(expected);
  });

  test('all of them at once', async () => {
    const told = await mistake({ pool: { max: 0, minReady: -1 } });
    expect(told.split('\n')).toHaveLength(3);
  });

  test.each([
    ['warmvm.config.json', '{', /warmvm\.config\.json cannot be read: /],
    ['warmvm.config.mjs', 'export const config = {};', /has no default export/],
    ['warmvm.config.ts', 'export default { driver: ;', /warmvm\.config\.ts cannot be loaded: /],
  ])('%s that is not one at all', async (name, text, expected) => {
    await writeFile(join(folder, name), text);
    await expect(read()).rejects.toThrow(expected);
  });

  test.each([
    [{ WARMVM_MAX: 'many' }, /WARMVM_MAX must be a whole number of at least 1, not "many"/],
    [{ WARMVM_URI: 'qemu:///system' }, /WARMVM_URI needs WARMVM_DRIVER/],
    [{ WARMVM_POOL: 'a b' }, /pool\.name/],
    [{ WARMVM_CONFIG: '/nonexistent/warmvm.config.json' }, /nonexistent/],
  ])('in the environment: %j', async (environment, expected) => {
    await expect(read({}, environment as Record<string, string>)).rejects.toThrow(expected);
  });
});
