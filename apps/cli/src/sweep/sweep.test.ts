import type { OwnerFate } from '@warmvm/core';
import { createFakeDriver, createFakeHost, fakeImage } from '@warmvm/driver-fake';
import { describe, expect, test } from 'vitest';
import { findLeftovers } from './leftovers.ts';
import { sweep } from './sweep.ts';

const owner = (pid: number, pool = 'default') => ({
  pool,
  instance: `i${pid}`,
  process: { bootId: 'test', pid, startTime: '0' },
});

/** A host with two machines of owners 1 and 2 and one of another pool, whose driver's process is gone. */
async function abandonedHost() {
  const host = createFakeHost();
  const driver = createFakeDriver({ host });
  const golden = await driver.prepare(fakeImage(), { owner: owner(1) });
  for (const tag of [owner(1), owner(2), owner(1, 'other')]) await driver.fork(golden, { owner: tag });
  driver.abandon();
  const load = async () => ({ create: () => createFakeDriver({ host }) });
  const settings = { folder: '/', pool: {}, drivers: [] };
  const find = (pool: string | undefined = 'default') =>
    findLeftovers({ use: 'fake' }, settings, new AbortController().signal, pool, load);
  return { host, find };
}

const judge = ({ pid }: { readonly pid: number }): OwnerFate => (pid === 1 ? 'dead' : 'alive');
const options = { signal: new AbortController().signal, judge };

describe('a sweep', () => {
  test('removes what dead owners left, machines first, and nothing else', async () => {
    const { host, find } = await abandonedHost();
    await using found = await find();
    const swept = await sweep(found, { ...options, dryRun: false });
    expect(swept.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['machine', 'removed'],
      ['machine', 'kept'],
      ['golden', 'removed'],
    ]);
    expect(host.machines()).toHaveLength(2);
  });

  test('that is dry says the same and removes nothing', async () => {
    const { host, find } = await abandonedHost();
    const before = host.objects().total;
    await using found = await find();
    const swept = await sweep(found, { ...options, dryRun: true });
    expect(swept.map(({ outcome }) => outcome)).toEqual(['would be removed', 'kept', 'would be removed']);
    expect(host.objects().total).toBe(before);
  });

  test('keeps what cannot be judged', async () => {
    const { find } = await abandonedHost();
    await using found = await find();
    const swept = await sweep(found, { ...options, dryRun: false, judge: () => 'unknown' });
    expect(new Set(swept.map(({ outcome }) => outcome))).toEqual(new Set(['kept']));
  });

  test('goes on after a failure, and says why it failed', async () => {
    const { find } = await abandonedHost();
    await using found = await find();
    const driver = { ...found.driver, remove: async () => Promise.reject(new Error('the disk is busy')) };
    const swept = await sweep({ ...found, driver }, { ...options, dryRun: false });
    expect(swept.filter(({ outcome }) => outcome === 'failed').map(({ error }) => error)).toEqual([
      'the disk is busy',
      'the disk is busy',
    ]);
  });
});
