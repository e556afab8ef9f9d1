import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testState } from '../fixtures/state-folder.ts';
import { currentHolder } from '../state-directory/holder.ts';

describe('StateFolder', () => {
  test('removes half-written marks of the dead and of its own past, and nobody else’s', async () => {
    await using world = await testState();
    const { host } = currentHolder();
    const marks = join(world.state.path, 'marks');
    const dead = `warmvm-1.json.${host}-${2 ** 30}-00000000`;
    const own = `warmvm-2.json.${host}-${process.pid}-00000000`;
    const living = `warmvm-3.json.${host}-${process.ppid}-00000000`;
    const far = `warmvm-4.json.${'0'.repeat(16)}-${2 ** 30}-00000000`;
    for (const name of [dead, own, living, far]) await writeFile(join(marks, name), '{');
    await world.state.open();
    expect((await readdir(marks)).sort()).toEqual([living, far].sort());
    expect(await world.state.list()).toEqual([]);
  });

  test('reads no mark that makes no sense, and follows no name out of the folder', async () => {
    await using world = await testState();
    const marks = join(world.state.path, 'marks');
    await writeFile(join(marks, 'broken.json'), '{"format":1');
    await writeFile(join(marks, 'other.json'), '{"format":2}');
    expect(await world.state.read('broken')).toBeUndefined();
    expect(await world.state.read('other')).toBeUndefined();
    expect(await world.state.read('../marks/other')).toBeUndefined();
    expect(await world.state.list()).toEqual([]);
  });

  test('changes nothing of what has another owner', async () => {
    await using world = await testState();
    const home = await world.home('alive');
    const mine = { ...home, owner: { ...home.owner, instance: 'another' } };
    await expect(world.state.update(mine, { generation: 7 })).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect((await world.state.read(home.id))?.generation).toBe(1);
    expect(await world.state.isOwned(mine)).toBe(false);
    expect(await world.state.isOwned(home)).toBe(true);
  });
});
