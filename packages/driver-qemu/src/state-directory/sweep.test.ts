import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { bystander } from '../fixtures/bystander.ts';
import { testState } from '../fixtures/state-folder.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import type { Mark } from '../home/mark.ts';
import type { StateFolder } from '../home/state-folder.ts';
import { findMachineProcesses, killMachineProcesses, startTimeOf } from './machine-processes.ts';
import { type SweepOptions, sweepDeadOwners } from './sweep.ts';

/** Removes as the driver does. */
function optionsFor(state: StateFolder): SweepOptions {
  return {
    async remove(mark) {
      const home = state.homeOf(mark);
      await killMachineProcesses({ id: mark.id, folder: home.directory }, { clock: systemClock });
      await state.remove(home);
    },
  };
}

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
    const removed = await sweepDeadOwners(world.state, optionsFor(world.state));
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
    expect(await sweepDeadOwners(world.state, optionsFor(world.state))).toEqual([]);
    expect(await startTimeOf(machine.pid)).toBeDefined();
    expect(await left(world.state)).toHaveLength(5);
  });

  test('leaves a machine to whoever may take it over, as long as it runs', async () => {
    await using world = await testState();
    const { id, directory } = await world.home('dead');
    await using machine = await bystander(directory, [`guest=${id}`]);
    const options = { ...optionsFor(world.state), keepRunning: true };
    expect(await sweepDeadOwners(world.state, options)).toEqual([]);
    await machine[Symbol.asyncDispose]();
    expect(await sweepDeadOwners(world.state, options)).toHaveLength(1);
  });

  test('goes on after what cannot be removed, and says what stayed', async () => {
    await using world = await testState();
    const stuck = await world.home('dead');
    await world.home('dead');
    const { remove } = optionsFor(world.state);
    const refusing = async (mark: Mark): Promise<void> => {
      if (mark.id === stuck.id) throw new Error('busy');
      await remove(mark);
    };
    await expect(sweepDeadOwners(world.state, { remove: refusing })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { leftBehind: [stuck.id] },
      cause: new Error('busy'),
    });
    expect(await left(world.state)).toEqual([`${stuck.id}.json`, stuck.id]);
  });

  test('rejects with the reason of its signal', async () => {
    await using world = await testState();
    await world.home('dead');
    await expect(
      sweepDeadOwners(world.state, { ...optionsFor(world.state), signal: AbortSignal.abort('no') }),
    ).rejects.toBe('no');
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
