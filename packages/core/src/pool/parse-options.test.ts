import { describe, expect, test } from 'vitest';
import { createStubDriver, stubImage } from '../testing/stub-driver.ts';
import { parsePoolOptions } from './parse-options.ts';
import { createPool } from './pool.ts';
import type { PoolOptions } from './pool-options.ts';

const base: PoolOptions = { driver: createStubDriver(), image: stubImage };

const bad: readonly (readonly [string, Record<string, unknown>, 'TypeError' | 'RangeError', RegExp])[] = [
  ['a driver that is missing', { driver: undefined }, 'TypeError', /driver is undefined; expected a driver/],
  ['a driver without a method', { driver: { prepare() {} } }, 'TypeError', /driver\.fork is undefined/],
  [
    'a driver of another version',
    { driver: { ...createStubDriver(), specificationVersion: 2 } },
    'TypeError',
    /specificationVersion is 2; expected 1/,
  ],
  [
    'a driver that can fork none at a time',
    { driver: createStubDriver({ capabilities: { concurrentForks: 0 } }) },
    'RangeError',
    /concurrentForks is 0/,
  ],
  ['an image that is missing', { image: null }, 'TypeError', /image is null; expected a golden image/],
  ['an image without a digest', { image: { name: 'x' } }, 'TypeError', /image\.digest is undefined; expected sha256:/],
  ['a name with other characters', { name: 'a b' }, 'TypeError', /name is "a b"; expected 1 to 40 letters/],
  ['a name that is too long', { name: 'a'.repeat(41) }, 'TypeError', /expected 1 to 40 letters/],
  ['minReady below 0', { minReady: -1 }, 'RangeError', /minReady is -1; expected a whole number from 0/],
  ['a broken minReady', { minReady: 1.5 }, 'RangeError', /minReady is 1.5/],
  ['minReady above max', { minReady: 3, max: 2 }, 'RangeError', /minReady is 3 and max is 2/],
  ['max 0', { max: 0 }, 'RangeError', /max is 0; expected a whole number from 1/],
  ['max that is no number', { max: '4' }, 'TypeError', /max is "4"; expected a whole number/],
  ['maxAgeMs 0', { maxAgeMs: 0 }, 'RangeError', /maxAgeMs is 0.*or Infinity/],
  ['maxAgeMs that is no number', { maxAgeMs: 'old' }, 'TypeError', /maxAgeMs is "old"; expected a number of milli/],
  ['maxTurns 0', { maxTurns: 0 }, 'RangeError', /maxTurns is 0/],
  ['maxIdleMs below 0', { maxIdleMs: -1 }, 'RangeError', /maxIdleMs is -1/],
  ['leaseMs 0', { leaseMs: 0 }, 'RangeError', /leaseMs is 0/],
  ['leaseMs without end', { leaseMs: Number.POSITIVE_INFINITY }, 'RangeError', /leaseMs is Infinity/],
  ['acquireTimeoutMs that is not a number', { acquireTimeoutMs: Number.NaN }, 'RangeError', /acquireTimeoutMs is NaN/],
  ['acquireTimeoutMs longer than a timer', { acquireTimeoutMs: 2 ** 31 }, 'RangeError', /to 2147483647/],
  ['maxWaiting below 0', { maxWaiting: -1 }, 'RangeError', /maxWaiting is -1/],
  ['prepareTimeoutMs 0', { prepareTimeoutMs: 0 }, 'RangeError', /prepareTimeoutMs is 0/],
  ['forkTimeoutMs 0', { forkTimeoutMs: 0 }, 'RangeError', /forkTimeoutMs is 0/],
  ['resetTimeoutMs 0', { resetTimeoutMs: 0 }, 'RangeError', /resetTimeoutMs is 0/],
  ['probeTimeoutMs null', { probeTimeoutMs: null }, 'TypeError', /probeTimeoutMs is null/],
  ['destroyTimeoutMs 0', { destroyTimeoutMs: 0 }, 'RangeError', /destroyTimeoutMs is 0/],
  ['resetConcurrency 0', { resetConcurrency: 0 }, 'RangeError', /resetConcurrency is 0/],
  ['forkConcurrency 0', { forkConcurrency: 0 }, 'RangeError', /forkConcurrency is 0/],
  ['a probe that is no function', { probe: true }, 'TypeError', /probe is true; expected a function/],
  ['reset that is no choice', { reset: 'sometimes' }, 'TypeError', /reset is "sometimes"; expected "auto" or "never"/],
  ['a backoff that is none', { creationBackoff: 500 }, 'TypeError', /creationBackoff is 500; expected a Backoff/],
  ['a breaker that is none', { breaker: 3 }, 'TypeError', /breaker is 3/],
  ['breaker.failures 0', { breaker: { failures: 0 } }, 'RangeError', /breaker\.failures is 0/],
  ['breaker.openMs 0', { breaker: { openMs: 0 } }, 'RangeError', /breaker\.openMs is 0/],
  ['breaker.samples 0', { breaker: { samples: 0 } }, 'RangeError', /breaker\.samples is 0/],
  ['breaker.refuse that is no boolean', { breaker: { refuse: 1 } }, 'TypeError', /breaker\.refuse is 1/],
  ['an unknown option of the breaker', { breaker: { open: 1 } }, 'TypeError', /breaker\.open is not an option/],
  ['a clock that is none', { clock: {} }, 'TypeError', /clock\.now is undefined/],
  ['random that is no function', { random: 4 }, 'TypeError', /random is 4/],
  ['a logger that is none', { logger: { info() {} } }, 'TypeError', /logger\.debug is undefined/],
  ['a meter that is none', { meter: {} }, 'TypeError', /meter\.createCounter is undefined/],
  ['sweep that is no boolean', { sweep: 'yes' }, 'TypeError', /sweep is "yes"; expected true or false/],
  ['adopt that is no choice', { adopt: true }, 'TypeError', /adopt is true; expected "reset" or "remove"/],
  ['maxPassedOver 0', { maxPassedOver: 0 }, 'RangeError', /maxPassedOver is 0; expected a whole number from 1/],
  ['creationsPerSecond of a half', { creationsPerSecond: 0.5 }, 'RangeError', /creationsPerSecond is 0\.5/],
  ['checkIdleEveryMs 0', { checkIdleEveryMs: 0 }, 'RangeError', /checkIdleEveryMs is 0.*or Infinity/],
  ['an unknown option', { minready: 2 }, 'TypeError', /options\.minready is not an option; did you mean minReady\?/],
];

describe('options of createPool', () => {
  test.each(bad)('refuse %s, synchronously and by name', (_, change, errorName, message) => {
    const make = (): unknown => createPool({ ...base, ...change } as PoolOptions);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: errorName }));
  });

  test('refuse to be anything but an object', () => {
    expect(() => createPool(undefined as unknown as PoolOptions)).toThrow(/options is undefined/);
  });

  test('have the documented defaults', () => {
    expect(parsePoolOptions(base)).toMatchObject({
      name: 'default',
      minReady: 1,
      max: 4,
      maxAgeMs: Number.POSITIVE_INFINITY,
      maxTurns: Number.POSITIVE_INFINITY,
      maxIdleMs: 60_000,
      leaseMs: 600_000,
      acquireTimeoutMs: 30_000,
      maxWaiting: 1_000,
      timeouts: {
        prepareTimeoutMs: 600_000,
        forkTimeoutMs: 60_000,
        resetTimeoutMs: 60_000,
        probeTimeoutMs: 10_000,
        destroyTimeoutMs: 30_000,
      },
      hosts: [
        {
          name: 'stub',
          max: Number.POSITIVE_INFINITY,
          standby: 0,
          resetConcurrency: 2,
          forkConcurrency: 8,
          resettable: true,
        },
      ],
      heartbeat: { everyMs: 10_000, timeoutMs: 10_000, misses: 3 },
      breaker: { failures: 5, openMs: 30_000, samples: 1, refuse: false },
      sweep: true,
    });
  });

  test('let max follow minReady when only that is given', () => {
    expect(parsePoolOptions({ ...base, minReady: 9 }).max).toBe(9);
  });

  test('take what drivers keep besides machines off max', () => {
    const keeping = createStubDriver({ capabilities: { standby: 2 } });
    const options = { ...base, driver: keeping };
    expect(parsePoolOptions({ ...options, max: 6 }).max).toBe(4);
    expect(parsePoolOptions(options).max).toBe(4);
    expect(() => parsePoolOptions({ ...options, max: 2 })).toThrow('max is 2');
    expect(() => parsePoolOptions({ ...options, minReady: 5, max: 6 })).toThrow('less the 2 processes');
    const { driver: _driver, ...rest } = options;
    const hosts = parsePoolOptions({ ...rest, max: 12, drivers: [{ driver: keeping, max: 5 }] }).hosts;
    expect(hosts).toMatchObject([{ max: 3, standby: 2 }]);
  });

  test('hold forks to what the driver is good for', () => {
    expect(parsePoolOptions({ ...base, forkConcurrency: 100 }).hosts[0]?.forkConcurrency).toBe(8);
    expect(parsePoolOptions({ ...base, forkConcurrency: 3 }).hosts[0]?.forkConcurrency).toBe(3);
  });

  test('never reset where the driver cannot or the caller will not', () => {
    const driver = createStubDriver({ capabilities: { reset: 'none' } });
    expect(parsePoolOptions({ ...base, driver }).hosts[0]?.resettable).toBe(false);
    expect(parsePoolOptions({ ...base, reset: 'never' }).hosts[0]?.resettable).toBe(false);
  });
});
