import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { collectTemplates, lockTemplate, useTemplate } from './template-cache.ts';

const clock: Clock = systemClock;
const DAY_MS = 86_400_000;
const MIB = 2 ** 20;

/** A template of 1 MiB that was last used so long ago; named by one letter. */
async function template(cache: string, letter: string, idleMs: number): Promise<string> {
  const name = letter.repeat(64);
  await mkdir(join(cache, name));
  await writeFile(join(cache, name, 'memory'), Buffer.alloc(MIB, 1));
  const usedAt = (clock.wallTimeMs() - idleMs) / 1000;
  await utimes(join(cache, name), usedAt, usedAt);
  return name;
}

const left = async (cache: string): Promise<readonly string[]> =>
  (await readdir(cache)).filter((name) => name.length === 64).sort();

describe('collectTemplates', () => {
  test('removes what was idle too long, and the longest idle until the rest fits', async () => {
    await using cache = await temporaryFolder();
    const [old, middle, recent] = [
      await template(cache.path, 'a', 9 * DAY_MS),
      await template(cache.path, 'b', 2 * DAY_MS),
      await template(cache.path, 'c', DAY_MS),
    ];
    const limits = { maxBytes: 100 * MIB, maxIdleMs: 7 * DAY_MS };
    expect(await collectTemplates(cache.path, limits, { clock })).toEqual([old]);
    expect(await collectTemplates(cache.path, { ...limits, maxBytes: 1.5 * MIB }, { clock })).toEqual([middle]);
    expect(await left(cache.path)).toEqual([recent]);
  });

  test('never touches what somebody uses or makes', async () => {
    await using cache = await temporaryFolder();
    const used = await template(cache.path, 'a', 9 * DAY_MS);
    const made = await template(cache.path, 'b', 9 * DAY_MS);
    const nothing = { maxBytes: 0, maxIdleMs: 0 };
    {
      await using _use = await useTemplate(cache.path, used, clock);
      await using _lock = await lockTemplate(cache.path, made, { clock });
      expect(await collectTemplates(cache.path, nothing, { clock })).toEqual([]);
    }
    expect([...(await collectTemplates(cache.path, nothing, { clock }))].sort()).toEqual([used, made]);
    expect(await left(cache.path)).toEqual([]);
  });

  test('takes a use for fresh, whenever the template was made', async () => {
    await using cache = await temporaryFolder();
    const name = await template(cache.path, 'a', 9 * DAY_MS);
    await (await useTemplate(cache.path, name, clock))[Symbol.asyncDispose]();
    expect(await collectTemplates(cache.path, { maxBytes: MIB * 9, maxIdleMs: DAY_MS }, { clock })).toEqual([]);
  });

  test('finds nothing in a cache that is not there, and leaves foreign files', async () => {
    await using cache = await temporaryFolder();
    await writeFile(join(cache.path, 'notes'), '');
    expect(await collectTemplates(cache.path, { maxBytes: 0, maxIdleMs: 0 }, { clock })).toEqual([]);
    expect(await collectTemplates(join(cache.path, 'none'), { maxBytes: 0, maxIdleMs: 0 }, { clock })).toEqual([]);
    expect(await readdir(cache.path)).toEqual(['notes']);
  });
});
