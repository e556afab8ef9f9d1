import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SettingsFlags } from '../config/settings.ts';
import { digestOfDrivers, stampOf } from '../kept-pool/client/find-pool.ts';
import { fakeWelcome, keptPool, type TestPool } from '../kept-pool/fixtures/kept-pool.ts';
import type { Welcome } from '../kept-pool/protocol/messages.ts';
import { findKeptPool } from './find-kept-pool.ts';

async function find({ folder, place }: TestPool, flags: SettingsFlags = {}, environment: Record<string, string> = {}) {
  const sources = { folder, environment: { ...place.environment, ...environment } };
  const search = await findKeptPool(flags, sources, new AbortController().signal);
  if ('why' in search) return search.why;
  search.connection.close();
  return `pool ${search.connection.welcome.pool}`;
}

/** A pool that claims to be on QEMU: nothing of these tests asks for a machine. */
const qemu = (facts: Partial<Welcome> = {}): Welcome =>
  fakeWelcome({ drivers: ['qemu'], driversDigest: digestOfDrivers([{ use: 'qemu' }], '/'), ...facts });

describe('a kept pool', () => {
  test.each<[string, SettingsFlags, Record<string, string>, string | RegExp]>([
    ['nothing is named', {}, {}, 'pool default'],
    ['its driver is named', { driver: 'qemu' }, {}, 'pool default'],
    ['its driver and image are named', {}, { WARMVM_DRIVER: 'qemu', WARMVM_IMAGE: 'tiny' }, 'pool default'],
    ['its name is given', { pool: 'default' }, {}, 'pool default'],
    ['another driver is named', { driver: 'libvirt' }, {}, /other drivers/],
    ['another host is named', { driver: 'qemu', uri: 'x' }, {}, /other drivers/],
    ['another image is named', { image: 'web' }, {}, /another image/],
    ['another pool is named', { pool: 'ci' }, {}, /no pool ci is kept/],
    ['another pool is named by the environment', {}, { WARMVM_POOL: 'ci' }, /no pool ci is kept/],
    ['the command line is wrong', { uri: 'x' }, {}, /says nothing/],
  ])('is looked for when %s', async (_what, flags, environment, expected) => {
    await using kept = await keptPool({ welcome: qemu() });
    const found = await find(kept, flags, environment);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });

  test('without real machines is for those alone who ask for that', async () => {
    await using kept = await keptPool();
    expect(await find(kept)).toMatch(/no real machines/);
    expect(await find(kept, { driver: 'fake' })).toBe('pool default');
  });

  test('is known by the configuration that it was started with, as long as nobody changes that', async () => {
    await using place = await keptPool();
    const path = join(place.folder, 'warmvm.config.json');
    await writeFile(path, JSON.stringify({ driver: 'qemu', pool: { name: 'ci' } }));
    await using kept = await keptPool({ welcome: qemu({ pool: 'ci', config: stampOf(path) ?? null }) });
    const here = { ...kept, folder: place.folder };
    expect(await find(here)).toBe('pool ci');
    await writeFile(path, JSON.stringify({ driver: 'libvirt', pool: { name: 'ci' } }));
    expect(await find(here)).toMatch(/other drivers/);
    await writeFile(path, JSON.stringify({ driver: 'qemu', pool: { name: 'ci', max: 3 } }));
    expect(await find(here)).toBe('pool ci');
    await writeFile(
      path,
      JSON.stringify({ driver: { use: 'qemu', options: { stateDirectory: '/x' } }, pool: { name: 'ci' } }),
    );
    expect(await find(here)).toMatch(/other drivers/);
  });
});
