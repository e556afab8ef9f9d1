import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createLibvirtDriver } from './driver.ts';
import { parseOptions } from './options.ts';

const dial = (): Promise<never> => Promise.reject(new Error('never dialled'));

describe('parseOptions', () => {
  test('fills in every default', () => {
    expect(parseOptions({})).toMatchObject({
      uri: 'qemu:///system',
      dial: undefined,
      storagePool: 'warmvm',
      storagePath: '/var/lib/libvirt/images/warmvm',
      acceleration: 'auto',
      reset: 'in-place',
      agentTransport: 'auto',
      guardian: true,
      bootTimeoutMs: 120_000,
      agentTimeoutMs: 15_000,
      maxOverlayBytes: 2 ** 31,
      clockToleranceMs: 1_000,
      clock: systemClock,
    });
    expect(parseOptions({}).concurrentForks).toBeGreaterThanOrEqual(2);
  });

  test('starts no guardian for a host that only a function can reach', () => {
    expect(parseOptions({ dial }).guardian).toBe(false);
  });

  test.each([
    ['uri', 'qemu+ssh://host/system', RangeError],
    ['uri', 7, TypeError],
    ['storagePool', 'a/b', RangeError],
    ['storagePool', '', RangeError],
    ['storagePath', 'relative/path', RangeError],
    ['storagePath', '', RangeError],
    ['storagePath', '/srv/../etc', RangeError],
    ['storagePath', '/srv/a\nb', RangeError],
    ['storagePath', '/srv/\ud800', RangeError],
    ['storagePath', `/${'a'.repeat(1_024)}`, RangeError],
    ['storagePath', 7, TypeError],
    ['acceleration', 'hvf', RangeError],
    ['reset', 'never', RangeError],
    ['agentTransport', 'ssh', RangeError],
    ['maxClients', 2, RangeError],
    ['maxClientRequests', 0, RangeError],
    ['concurrentForks', 0, RangeError],
    ['concurrentForks', 65, RangeError],
    ['concurrentForks', '2', TypeError],
    ['bootTimeoutMs', 999, RangeError],
    ['bootTimeoutMs', Number.NaN, RangeError],
    ['agentTimeoutMs', 99, RangeError],
    ['agentTimeoutMs', 100.5, RangeError],
    ['maxOverlayBytes', 1, RangeError],
    ['clockToleranceMs', 0, RangeError],
    ['dial', 'unix:/run/libvirt', TypeError],
  ] as const)('says of options.%s = %o what is wrong and what was expected', (name, value, kind) => {
    const parse = (): unknown => parseOptions({ [name]: value });
    expect(parse).toThrow(kind);
    expect(parse).toThrow(new RegExp(`options\\.${name} is .*expected`));
  });

  test.each(['/srv/vm images', '/srv/a&b', '/srv/$&\'"<x>', '/срв/模型', '/srv/a:b,c=d', '/srv/..a/b..'])(
    'takes the storage path %s, as the host would',
    (storagePath) => {
      expect(parseOptions({ storagePath }).storagePath).toBe(storagePath);
    },
  );

  test('refuses an option that is unknown, and says which was probably meant', () => {
    const options = { uri: 'qemu:///system', storagepool: 'mine' };
    expect(() => parseOptions(options)).toThrow('options.storagepool is unknown; did you mean storagePool?');
  });

  test('refuses a guardian for a host that it could not reach', () => {
    expect(() => parseOptions({ dial, guardian: true })).toThrow(
      'options.guardian cannot be true or a URL with options.dial',
    );
    const program = { module: new URL('file:///guardian.js'), way: {}, giveUpMs: 60_000, isOptional: true };
    expect(parseOptions({ dial, guardian: program }).guardian).toBe(program);
    expect(() => parseOptions({ guardian: program })).toThrow('needs options.dial');
    expect(() => parseOptions({ guardian: 'yes' as never })).toThrow('expected true, false, a file URL or a program');
    expect(() => parseOptions({ dial, guardian: { ...program, giveUpMs: 1 } })).toThrow(RangeError);
  });
});

describe('createLibvirtDriver', () => {
  test('throws at once for a bad option', () => {
    expect(() => createLibvirtDriver({ concurrentForks: -1 })).toThrow(RangeError);
  });

  test('says what it can do, and connects to nothing until it is called', async () => {
    const driver = createLibvirtDriver({ dial, concurrentForks: 3 });
    expect(driver).toMatchObject({ specificationVersion: 1, name: 'libvirt' });
    expect(driver.capabilities).toEqual({
      reset: 'memory',
      stateEvents: true,
      guestAgent: true,
      forkCost: 'grows-with-memory',
      concurrentForks: 3,
      survivesReconnect: true,
    });
    await driver[Symbol.asyncDispose]();
  });
});
