import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';
import { listKeptGoldens, pruneKeptGoldens } from './kept-goldens.ts';

describe('kept golden snapshots', () => {
  test('are listed with their image, size and use, and are removed only when nothing uses them', async () => {
    await using world = await World.create();
    const { stateDirectory } = world;
    const { driver } = await world.prepared();
    const [golden, ...others] = await listKeptGoldens({ stateDirectory });
    expect(others).toEqual([]);
    expect(golden).toMatchObject({ digest: world.image.digest, inUse: true, sizeBytes: expect.any(Number) });
    expect(golden?.directory).toBe(join(stateDirectory, 'goldens', String(golden?.name)));
    expect(await pruneKeptGoldens({ stateDirectory })).toEqual([]);

    await driver[Symbol.asyncDispose]();
    expect(await pruneKeptGoldens({ stateDirectory, only: ({ digest }) => digest === 'another' })).toEqual([]);
    expect(await pruneKeptGoldens({ stateDirectory })).toMatchObject([{ name: golden?.name, inUse: false }]);
    expect(await listKeptGoldens({ stateDirectory })).toEqual([]);
  });

  test('do not exist in a folder that does not exist, and looking does not make it', async () => {
    await using world = await World.create();
    expect(await listKeptGoldens({ stateDirectory: world.stateDirectory })).toEqual([]);
    await expect(readdir(world.stateDirectory)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('listAll', () => {
  test('lists what every pool owns, and list only what one pool owns', async () => {
    await using world = await World.create();
    const { driver } = await world.prepared();
    const another = { ...owner, pool: 'another' };
    await world.newDriver().prepare(world.image, { owner: another });
    expect((await driver.listAll?.())?.map((record) => record.owner.pool).sort()).toEqual(['another', owner.pool]);
    expect((await driver.list(another)).map((record) => record.owner.pool)).toEqual(['another']);
  });
});
