import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { buildTinyImage } from './build-tiny-image.ts';
import { parseArchitecture, parseTinyOptions, type TinyImageOptions } from './tiny-options.ts';

const MIB = 2 ** 20;

afterEach(() => vi.unstubAllEnvs());

describe('parseTinyOptions', () => {
  test('has the documented defaults', () => {
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    expect(parseTinyOptions({})).toMatchObject({
      cacheDir: join(homedir(), '.cache', 'warmvm', 'images'),
      memoryBytes: 256 * MIB,
      virtualCpus: 1,
      diskBytes: 64 * MIB,
      name: 'tiny',
    });
  });

  test('follows XDG_CACHE_HOME where it is absolute', () => {
    vi.stubEnv('XDG_CACHE_HOME', '/somewhere');
    expect(parseTinyOptions({}).cacheDir).toBe('/somewhere/warmvm/images');
    vi.stubEnv('XDG_CACHE_HOME', 'relative');
    expect(parseTinyOptions({}).cacheDir).toBe(join(homedir(), '.cache', 'warmvm', 'images'));
  });

  test('takes the architecture of this machine', () => {
    expect(parseArchitecture(undefined)).toBe(process.arch === 'arm64' ? 'aarch64' : 'x86_64');
  });

  test.each<[string, unknown, RegExp]>([
    ['cacheDir', 'relative/folder', /cacheDir is "relative\/folder"; expected an absolute path/],
    ['cacheDir', 7, /cacheDir is 7; expected an absolute path/],
    ['memoryBytes', '256', /memoryBytes is "256"; expected a number/],
    ['name', 'two words', /name is "two words"; expected 1 to 64 letters/],
    ['name', '', /name is ""/],
    ['name', 7, /name is 7/],
    ['architecture', 'riscv64', /architecture is "riscv64"; expected 'x86_64' or 'aarch64'/],
  ])('throws a TypeError at once for the %s %j', (option, value, message) => {
    const call = (): unknown => buildTinyImage({ [option]: value } as TinyImageOptions);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  test.each([
    ['memoryBytes', 63 * MIB],
    ['memoryBytes', 64 * MIB + 1],
    ['memoryBytes', Number.NaN],
    ['virtualCpus', 0],
    ['virtualCpus', 256],
    ['virtualCpus', 1.5],
    ['diskBytes', 0],
    ['diskBytes', 2 ** 41],
  ])('throws a RangeError at once for the %s %d, naming the range', (option, value) => {
    const call = (): unknown => buildTinyImage({ [option]: value });
    expect(call).toThrow(RangeError);
    expect(call).toThrow(new RegExp(`^${option} is ${value}; expected a .+ from \\d+ to \\d+\\.$`));
  });
});
