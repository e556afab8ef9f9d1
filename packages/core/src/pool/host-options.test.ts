import { describe, expect, test } from 'vitest';
import { createStubDriver, stubImage } from '../testing/stub-driver.ts';
import { parsePoolOptions } from './parse-options.ts';
import { createPool } from './pool.ts';
import type { PoolOptions } from './pool-options.ts';

const [one, two] = [createStubDriver(), createStubDriver()];

const bad: readonly (readonly [string, Record<string, unknown>, 'TypeError' | 'RangeError', RegExp])[] = [
  ['driver and drivers', { driver: one, drivers: [two] }, 'TypeError', /driver and drivers are both given/],
  ['drivers that are no array', { drivers: one }, 'TypeError', /drivers is an object; expected an array/],
  ['no drivers', { drivers: [] }, 'RangeError', /drivers has 0 entries; expected 1 to 256/],
  ['an entry that is none', { drivers: [one, 3] }, 'TypeError', /drivers\[1\] is 3; expected a driver, or an object/],
  ['an entry that is no driver', { drivers: [one, {}] }, 'TypeError', /drivers\[1\]\.prepare is undefined/],
  ['a driver that is none', { drivers: [{ driver: {} }] }, 'TypeError', /drivers\[0\]\.driver\.prepare is undefined/],
  [
    'one driver twice',
    { drivers: [one, { driver: one, name: 'b' }] },
    'RangeError',
    /drivers\[1\] is a driver that is/,
  ],
  [
    'an unknown option',
    { drivers: [{ driver: one, weight: 2 }] },
    'TypeError',
    /drivers\[0\]\.weight is not an option/,
  ],
  ['max 0', { drivers: [{ driver: one, max: 0 }] }, 'RangeError', /drivers\[0\]\.max is 0/],
  ['a name with spaces', { drivers: [{ driver: one, name: 'a b' }] }, 'TypeError', /drivers\[0\]\.name is "a b"/],
  [
    'one name twice',
    {
      drivers: [
        { driver: one, name: 'a' },
        { driver: two, name: 'a' },
      ],
    },
    'RangeError',
    /drivers\[1\]\.name is "a", as of one before/,
  ],
  [
    'forks of a host',
    { drivers: [{ driver: one, forkConcurrency: 0 }] },
    'RangeError',
    /drivers\[0\]\.forkConcurrency is 0/,
  ],
  [
    'resets of a host',
    { drivers: [{ driver: one, resetConcurrency: 0.5 }] },
    'RangeError',
    /drivers\[0\]\.resetConcurrency is 0\.5/,
  ],
  [
    'spares that the hosts do not take',
    {
      drivers: [
        { driver: one, max: 1 },
        { driver: two, max: 1 },
      ],
      minReady: 3,
    },
    'RangeError',
    /minReady is 3 and the hosts take 2 by their max/,
  ],
  ['a heartbeat that is none', { driver: one, heartbeat: 3 }, 'TypeError', /heartbeat is 3/],
  ['heartbeats at no distance', { driver: one, heartbeat: { everyMs: 0 } }, 'RangeError', /heartbeat\.everyMs is 0/],
  [
    'heartbeats without end',
    { driver: one, heartbeat: { timeoutMs: Infinity } },
    'RangeError',
    /heartbeat\.timeoutMs is/,
  ],
  ['heartbeats that count none', { driver: one, heartbeat: { misses: 0 } }, 'RangeError', /heartbeat\.misses is 0/],
];

describe('the hosts of createPool', () => {
  test.each(bad)('refuse %s', (_, options, name, message) => {
    const make = (): unknown => createPool({ image: stubImage, ...options } as PoolOptions);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name }));
  });

  test('are named after their drivers, and numbered where several have the same', () => {
    const other = { ...createStubDriver(), name: 'other' };
    const { hosts } = parsePoolOptions({ image: stubImage, drivers: [one, { driver: two, name: 'big' }, other] });
    expect(hosts.map(({ name }) => name)).toEqual(['stub-1', 'big', 'other']);
  });

  test('have the limits of the pool where they have none of their own', () => {
    const options = { image: stubImage, forkConcurrency: 3, resetConcurrency: 5 };
    const limited = { driver: two, max: 7, forkConcurrency: 2, resetConcurrency: 1 };
    const { hosts } = parsePoolOptions({ ...options, drivers: [one, limited] });
    expect(hosts).toMatchObject([
      { max: Infinity, forkConcurrency: 3, resetConcurrency: 5 },
      { max: 7, forkConcurrency: 2, resetConcurrency: 1 },
    ]);
  });

  test('may be asked to be more than they take only until resize is told so', async () => {
    const pool = createPool({ image: stubImage, drivers: [{ driver: createStubDriver(), max: 2 }], sweep: false });
    expect(() => pool.resize({ minReady: 3 })).toThrow(/minReady is 3 and the hosts take 2/);
    await pool.close();
  });
});
