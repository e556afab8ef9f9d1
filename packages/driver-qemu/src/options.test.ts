import { describe, expect, test } from 'vitest';
import { parseOptions, type QemuDriverOptions } from './options.ts';

describe('parseOptions', () => {
  test('fills in every default', () => {
    expect(parseOptions({})).toMatchObject({ acceleration: 'auto', standby: 0, clockToleranceMs: 50 });
    expect(parseOptions({}).binary).toBeUndefined();
  });

  test('keeps what was given', () => {
    expect(
      parseOptions({ binary: '/opt/qemu-system-x86_64', standby: 3, stateDirectory: '/run/user/1' }),
    ).toMatchObject({
      binary: '/opt/qemu-system-x86_64',
      standby: 3,
      stateDirectory: '/run/user/1',
    });
  });

  test.each<[keyof QemuDriverOptions, unknown, typeof TypeError | typeof RangeError]>([
    ['binary', 7, TypeError],
    ['binary', 'qemu; rm', RangeError],
    ['stateDirectory', 'relative', RangeError],
    ['user', 'a b', RangeError],
    ['cgroup', 'relative', RangeError],
    ['maxOverlayBytes', 1, RangeError],
    ['maxCacheBytes', '1', TypeError],
    ['acceleration', 'xen', RangeError],
    ['standby', -1, RangeError],
    ['standby', '1', TypeError],
    ['concurrentForks', 0, RangeError],
    ['bootTimeoutMs', 1.5, RangeError],
    ['startTimeoutMs', Number.NaN, RangeError],
    ['agentTimeoutMs', 1, RangeError],
    ['standbi' as never, 1, TypeError],
    ['clockToleranceMs', 0, RangeError],
  ])('refuses %s %s, and says which option it was', (name, value, error) => {
    const parse = (): unknown => parseOptions({ [name]: value });
    expect(parse).toThrow(error);
    expect(parse).toThrow(`options.${name}`);
  });
});
