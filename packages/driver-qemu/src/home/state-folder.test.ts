import { readdir, rm, writeFile } from 'node:fs/promises';
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

  test.each<[string, object]>([
    ['the id of another', { id: 'warmvm-0000000000000002' }],
    ['an id that leads elsewhere', { id: '../../precious' }],
    ['a golden snapshot elsewhere', { golden: '../../precious' }],
    ['a process of another name', { process: { pid: 4, startTime: '1', name: '../../precious' } }],
    ['a group of processes', { process: { pid: -1, startTime: '1', name: 'warmvm-0000000000000001' } }],
    ['a generation that leads elsewhere', { generation: '1/../../precious' }],
    ['no owner', { owner: { pool: 'pool', instance: 'instance' } }],
  ])('believes no mark with %s', async (_what, changes) => {
    await using world = await testState();
    const id = 'warmvm-0000000000000001';
    const home = await world.home('alive');
    const mark = { ...(await world.state.read(home.id)), id };
    const path = join(world.state.path, 'marks', `${id}.json`);
    await writeFile(path, JSON.stringify(mark));
    expect(await world.state.read(id)).toEqual(mark);
    await writeFile(path, JSON.stringify({ ...mark, ...changes }));
    expect(await world.state.read(id)).toBeUndefined();
    expect((await world.state.list()).map((other) => other.id)).toEqual([home.id]);
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

  test('gives what several take at once to one of them, and to nobody else', async () => {
    await using world = await testState();
    const home = await world.home('alive');
    const takers = Array.from({ length: 8 }, (_, index) => ({ ...home.owner, instance: `taker-${index}` }));
    const results = await Promise.allSettled(takers.map((owner) => world.state.update(home, { owner })));
    const won = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [takers[index]] : []));
    expect(won).toHaveLength(1);
    expect((await world.state.read(home.id))?.owner).toEqual(won[0]);
    // A taker that failed gives back what it no longer has: the mark stays as it is.
    const loser = takers.find((taker) => taker !== won[0])!;
    await expect(world.state.update({ ...home, owner: loser }, { owner: home.owner })).rejects.toMatchObject({
      code: 'WARMVM_MACHINE_GONE',
    });
    expect((await world.state.read(home.id))?.owner).toEqual(won[0]);
  });

  test('removes nothing that somebody has just taken, and lets nobody take what it removes', async () => {
    await using world = await testState();
    const [first, second] = [await world.home('alive'), await world.home('alive')];
    const taker = { ...first.owner, instance: 'taker' };
    await world.state.update(first, { owner: taker });
    const never = async (): Promise<void> => expect.unreachable('it has another owner');
    expect(await world.state.removeOwned(first, never)).toBe(false);
    let taken: Promise<unknown> | undefined;
    const removed = await world.state.removeOwned(second, async () => {
      taken = world.state.update(second, { owner: taker }).catch((error: unknown) => error);
    });
    expect(removed).toBe(true);
    expect(await taken).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await readdir(join(world.state.path, 'locks'))).toEqual([first.id]);
  });

  test('removes with a machine the lock that a killed process held on it', async () => {
    await using world = await testState();
    const home = await world.home('dead');
    await world.state.withMark(home.id, async () => {});
    const { host, process } = currentHolder();
    const locks = join(world.state.path, 'locks');
    await writeFile(join(locks, home.id, `${'0'.repeat(16)}_${2 ** 30}_1_${host}_${process.bootId}`), '');
    await world.state.remove(home);
    expect(await readdir(locks)).toEqual([]);
  });

  test('leaves no mark of what it could not make a folder for', async () => {
    await using world = await testState();
    await rm(world.state.machines, { recursive: true });
    await expect(world.home('alive')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(join(world.state.path, 'marks'))).toEqual([]);
  });
});
