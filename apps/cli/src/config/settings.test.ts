import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeDriver } from '../drivers/load-driver.ts';
import { findKeptPool } from '../place/find-kept-pool.ts';
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
    const driverPlaces = [{ from: path, key: 'driver', uri: 'driver.options.uri' }];
    const pool = { max: 3 };
    expect(settings).toEqual({
      drivers: [{ use: 'fake' }],
      driverPlaces,
      image: 'tiny',
      pool,
      configPath: path,
      folder,
    });
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

  test('take from the file what it says of a driver that is named elsewhere, every host of it', async () => {
    const far = (host: string) => ({ use: 'libvirt-ssh', options: { host }, max: 2 });
    await json({ drivers: [far('a'), { use: 'qemu', options: { standby: 1 } }, far('b')] });
    const from = join(folder, 'warmvm.config.json');
    expect(await read({ driver: 'libvirt-ssh' })).toMatchObject({
      drivers: [far('a'), far('b')],
      driverPlaces: [
        { from, key: 'drivers[0]' },
        { from, key: 'drivers[2]' },
      ],
    });
    expect((await read({}, { WARMVM_DRIVER: 'qemu' })).drivers).toEqual([{ use: 'qemu', options: { standby: 1 } }]);
    expect((await read({ driver: 'fake' })).drivers).toEqual([{ use: 'fake' }]);
    // Another address is another host: what the file says of its own is not for it.
    const uri = 'qemu+ssh://c/system';
    expect((await read({ driver: 'libvirt-ssh', uri })).drivers).toEqual([{ use: 'libvirt-ssh', options: { uri } }]);
    await json({ driver: { use: 'qemu', options: { standby: 2 } } });
    expect((await read({ driver: 'qemu' }, { WARMVM_DRIVER: 'fake' })).drivers).toEqual([
      { use: 'qemu', options: { standby: 2 } },
    ]);
  });

  test('come from the file that is named, not from the nearest', async () => {
    await json({ driver: 'fake' });
    await json({ driver: 'libvirt' }, 'other.json');
    expect((await read({ config: join(folder, 'other.json') })).drivers).toEqual([{ use: 'libvirt' }]);
    expect((await read({}, { WARMVM_CONFIG: join(folder, 'other.json') })).drivers).toEqual([{ use: 'libvirt' }]);
  });

  test.each([
    ['other.json', '{ "driver": "libvirt" }'],
    ['other.ts', "export default { driver: 'libvirt' as string };"],
    ['other.mjs', "export default { driver: 'libvirt' };"],
  ])('come from a file that is named by a path from here: %s', async (name, text) => {
    await mkdir(join(folder, 'below'));
    await writeFile(join(folder, 'below', name), text);
    const expected = { drivers: [{ use: 'libvirt' }], configPath: join(folder, 'below', name) };
    expect(await read({ config: `below/${name}` })).toMatchObject(expected);
    expect(await read({}, { WARMVM_CONFIG: `./below/${name}` })).toMatchObject(expected);
  });

  test.each([
    ['json', Buffer.from('\uFEFF{ "driver": "fake" }')],
    ['json', Buffer.from('\uFEFF{ "driver": "fake" }', 'utf16le')],
    ['ts', Buffer.from("\uFEFFexport default { driver: 'fake' as string };")],
    ['mjs', Buffer.from("\uFEFFexport default { driver: 'fake' };")],
  ])('are read from a file that begins with a byte order mark: %s', async (extension, bytes) => {
    await writeFile(join(folder, `warmvm.config.${extension}`), bytes);
    expect((await read()).drivers).toEqual([{ use: 'fake' }]);
  });
});

describe('a configuration that somebody else could have written is never run', () => {
  const RAN = "globalThis.warmvmTestRan = true; export default { driver: 'fake' };";
  const below = (): string => join(folder, 'above', 'project');
  const path = (): string => join(folder, 'above', 'warmvm.config.mjs');
  beforeEach(async () => {
    await mkdir(below(), { recursive: true });
    await writeFile(path(), RAN);
  });
  const refusal = async (flags: SettingsFlags = {}, environment: Record<string, string> = {}): Promise<string> => {
    const error = await readSettings(flags, { folder: below(), environment }).catch((reason: Error) => reason);
    expect(globalThis).not.toHaveProperty('warmvmTestRan');
    expect(error).toMatchObject({ name: 'ConfigError' });
    return (error as Error).message;
  };

  test('whose file others may write: found, named, or named by the environment', async () => {
    await chmod(path(), 0o666);
    expect(await refusal()).toContain(`other users may write to ${path()} (mode 666)`);
    expect(await refusal({ config: path() })).toContain('other users may write');
    expect(await refusal({}, { WARMVM_CONFIG: '../warmvm.config.mjs' })).toContain('other users may write');
  });

  test('whose folder others may write in', async () => {
    await chmod(join(folder, 'above'), 0o777);
    expect(await refusal()).toMatch(
      /other users may write to .*above \(mode 777\).* or name a file of yours with --config$/,
    );
  });

  test.runIf(process.getuid?.() === 0)('that belongs to another user', async () => {
    await chown(path(), 65534, 65534);
    expect(await refusal()).toContain('belongs to user 65534');
    const search = findKeptPool({}, { folder: below(), environment: {} }, new AbortController().signal);
    await expect(search).rejects.toThrow('belongs to user 65534');
  });
});

describe('a mistake in a configuration is told with its place, what is there and what was expected', () => {
  test.each<[unknown, string]>([
    [{ pool: { minReady: 'three' } }, 'pool.minReady is "three", expected a number'],
    [{ pool: { minReady: 1.5 } }, 'pool.minReady is 1.5, expected a whole number'],
    [{ pool: { max: 0 } }, 'pool.max is 0, expected a number of at least 1'],
    [{ pool: { creationsPerSecond: 0 } }, 'pool.creationsPerSecond is 0, expected a number of more than 0'],
    [{ pool: { leaseMs: 1e12 } }, 'pool.leaseMs is 1000000000000, expected a number of at most 2147483647'],
    [{ pool: { maxx: 1 } }, 'pool.maxx is unknown; did you mean max?'],
    [{ pool: { leaseMS: 1 } }, 'pool.leaseMS is unknown; did you mean leaseMs?'],
    [{ pool: { reset: 'nevr' } }, 'pool.reset is "nevr", expected one of auto, never; did you mean never?'],
    [{ pool: { name: 'a b' } }, 'pool.name is "a b", expected 1 to 40 letters, digits, - or _'],
    [{ pool: [] }, 'pool is [], expected an object'],
    [{ drivr: 'fake' }, 'drivr is unknown; did you mean driver?'],
    [{ xyz: 1 }, 'xyz is unknown, expected one of $schema, driver, drivers, image, pool'],
    [{ driver: 'fake', drivers: ['fake'] }, 'drivers: give either driver or drivers, not both'],
    [{ drivers: [] }, 'drivers is [], expected at least 1 of them'],
    [{ driver: '' }, 'driver is "", expected a text that is not empty'],
    [{ driver: { use: 'libvirt', optionz: {} } }, 'driver.optionz is unknown; did you mean options?'],
    [{ driver: { options: {} } }, 'driver.use is missing, expected a text'],
    [{ driver: { use: 'qemu', options: [] } }, 'driver.options is [], expected an object'],
    [{ drivers: ['fake', { use: 'qemu', Max: 1 }] }, 'drivers[1].Max is unknown; did you mean max?'],
    [{ driver: 5 }, 'driver is 5, expected a text, or an object with use, options, max'],
    [{ image: { disk: 'a.qcow2', memoryBytes: 1.5 } }, 'image.memoryBytes is 1.5, expected a whole number'],
    [
      { image: { disk: 'a.qcow2', network: 'usr' } },
      'image.network is "usr", expected one of none, user; did you mean user?',
    ],
    [{ image: { tiny: true, memory: 1 } }, 'image.memory is unknown; did you mean memoryBytes?'],
    [[], 'the configuration is [], expected an object'],
  ])('%j', async (config, expected) => {
    expect(await mistake(config)).toBe(
      `ConfigError: ${join(folder, 'warmvm.config.json')} is not a configuration:\n  ${expected}`,
    );
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
    [
      { WARMVM_POOL: 'a b' },
      /^the environment is wrong:\n {2}WARMVM_POOL is "a b", expected 1 to 40 letters, digits, - or _$/,
    ],
    [{ WARMVM_CONFIG: '/nonexistent/warmvm.config.json' }, /nonexistent/],
  ])('in the environment: %j', async (environment, expected) => {
    await expect(read({}, environment as Record<string, string>)).rejects.toThrow(expected);
  });
});

describe('a mistake in a driver or its options is told with its place', () => {
  const make = async (flags: SettingsFlags, environment: Record<string, string> = {}): Promise<string> => {
    const settings = await read(flags, environment);
    const made = settings.drivers.map((choice) => makeDriver(choice, settings));
    const failed = (await Promise.allSettled(made)).filter((result) => result.status === 'rejected');
    return failed.map(({ reason }) => `${reason.name}: ${reason.message}`).join('\n');
  };

  test.each<[unknown, string]>([
    [
      { driver: { use: 'qemu', options: { standbi: 1 } } },
      'ConfigError: driver qemu refuses its options in FILE:\n  driver.options.standbi is unknown; did you mean standby?',
    ],
    [
      { drivers: ['fake', { use: 'libvirt', options: { reset: 'inplace' } }] },
      'ConfigError: driver libvirt refuses its options in FILE:\n' +
        '  drivers[1].options.reset is "inplace", expected one of in-place, revert; did you mean in-place?',
    ],
    [
      { driver: { use: 'libvirt-ssh', options: { host: 'far', keyfile: '/k' } } },
      'ConfigError: driver libvirt-ssh refuses its options in FILE:\n' +
        '  driver.options.keyfile is unknown; did you mean keyFile?',
    ],
    [
      { driver: { use: 'fake', options: { latency: { forkMs: -1 } } } },
      'ConfigError: driver fake refuses its options in FILE:\n' +
        '  driver.options.latency.forkMs must be a finite number of at least 0 milliseconds, got -1',
    ],
    [{ driver: 'qmeu' }, 'ConfigError: FILE: driver: there is no driver "qmeu"; did you mean qemu?\n'],
  ])('in a file: %j', async (config, expected) => {
    await json(config);
    const told = await make({});
    const wanted = expected.replace('FILE', join(folder, 'warmvm.config.json'));
    expect(told.slice(0, wanted.length)).toBe(wanted);
  });

  test('on the command line and in the environment', async () => {
    const uri = 'qemu+ssh://host/system';
    const refusal = (from: string, name: string): string =>
      `ConfigError: driver libvirt refuses its options in ${from}:\n` +
      `  ${name} is "${uri}", expected a libvirt URI without a host, such as 'qemu:///system'`;
    expect(await make({ driver: 'libvirt', uri })).toBe(refusal('the command line', '--uri'));
    const environment = { WARMVM_DRIVER: 'libvirt', WARMVM_URI: uri };
    expect(await make({}, environment)).toBe(refusal('the environment', 'WARMVM_URI'));
  });
});
