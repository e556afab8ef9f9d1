import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { bystander } from '../fixtures/bystander.ts';
import { testState } from '../fixtures/state-folder.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import type { StateFolder } from '../home/state-folder.ts';
import { findMachineProcesses, startTimeOf } from './machine-processes.ts';
import { sweepDeadOwners } from './sweep.ts';

const clock = systemClock;

const left = async (state: StateFolder): Promise<readonly string[]> => [
  ...(await readdir(join(state.path, 'marks'))),
  ...(await readdir(join(state.path, 'machines'))),
];

describe('sweepDeadOwners', () => {
  test('kills what a dead owner left, and no process that only looks like it', async () => {
    await using world = await testState();
    await using elsewhere = await temporaryFolder();
    const { id, directory } = await world.home('dead');
    await writeFile(join(directory, 'disk'), '');
    await using machine = await bystander(directory, ['-name', `guest=${id}`]);
    await using sameName = await bystander(elsewhere.path, ['-name', `guest=${id}`]);
    await using sameFolder = await bystander(directory, ['-name', `guest=${id}-2`]);
    const removed = await sweepDeadOwners(world.state, { clock });
    await machine.ended;
    expect(removed.map((mark) => mark.id)).toEqual([id]);
    expect(await startTimeOf(sameName.pid)).toBeDefined();
    expect(await startTimeOf(sameFolder.pid)).toBeDefined();
    expect(await left(world.state)).toEqual([]);
  });

  test('does not touch what the living own, what has no mark, and what another computer may own', async () => {
    await using world = await testState();
    const { id, directory } = await world.home('alive');
    await using machine = await bystander(directory, ['-name', `guest=${id}`]);
    const far = await world.state.read((await world.home('dead')).id);
    if (far === undefined) throw new Error('no mark was written');
    const process = { ...far.owner.process, bootId: 'host-elsewhere' };
    await world.state.write({ ...far, host: 'elsewhere', owner: { ...far.owner, process } });
    await mkdir(join(world.state.path, 'machines', 'unmarked'));
    expect(await sweepDeadOwners(world.state, { clock })).toEqual([]);
    expect(await startTimeOf(machine.pid)).toBeDefined();
    expect(await left(world.state)).toHaveLength(5);
  });

  test('goes on after what cannot be removed, and says what stayed', async () => {
    await using world = await testState();
    const stuck = join(world.state.path, 'not-a-cgroup');
    await mkdir(stuck);
    await writeFile(join(stuck, 'file'), '');
    const first = await world.home('dead');
    const mark = await world.state.read(first.id);
    if (mark === undefined) throw new Error('no mark was written');
    await world.state.write({ ...mark, cgroup: stuck });
    await world.home('dead');
    await expect(sweepDeadOwners(world.state, { clock })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { leftBehind: [first.id] },
    });
    expect(await left(world.state)).toEqual([`${first.id}.json`, first.id]);
  });

  test('rejects with the reason of its signal', async () => {
    await using world = await testState();
    await world.home('dead');
    await expect(sweepDeadOwners(world.state, { clock, signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });
});

describe('findMachineProcesses', () => {
  test('finds a process although its folder was removed', async () => {
    await using parent = await temporaryFolder();
    const folder = join(parent.path, 'm');
    await mkdir(folder);
    await using machine = await bystander(folder, ['guest=m']);
    await rmdir(folder);
    expect((await findMachineProcesses({ id: 'm', folder })).map(({ pid }) => pid)).toEqual([machine.pid]);
  });
});
