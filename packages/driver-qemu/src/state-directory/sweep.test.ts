import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { bystander } from '../fixtures/bystander.ts';
import { deadMark, machineMark } from '../fixtures/machine-mark.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { findMachineProcesses, startTimeOf } from './machine-processes.ts';
import { writeMark } from './mark.ts';
import { sweepDeadOwners } from './sweep.ts';

const clock = systemClock;

describe('sweepDeadOwners', () => {
  test('kills what a dead owner left, and no process that only looks like it', async () => {
    await using machines = await temporaryFolder();
    await using elsewhere = await temporaryFolder();
    const folder = await writeMark(machines.path, deadMark('gone'));
    await using machine = await bystander(folder, ['-name', 'guest=gone']);
    await using sameName = await bystander(elsewhere.path, ['-name', 'guest=gone']);
    await using sameFolder = await bystander(folder, ['-name', 'guest=gone-2']);
    const removed = await sweepDeadOwners(machines.path, { clock });
    await machine.ended;
    expect(removed.map(({ id }) => id)).toEqual(['gone']);
    expect(await startTimeOf(sameName.pid)).toBeDefined();
    expect(await startTimeOf(sameFolder.pid)).toBeDefined();
    expect(await readdir(machines.path)).toEqual([]);
  });

  test('does not touch what the living own, what has no mark, and what another computer may own', async () => {
    await using machines = await temporaryFolder();
    const folder = await writeMark(machines.path, machineMark('mine'));
    await using machine = await bystander(folder, ['-name', 'guest=mine']);
    const far = deadMark('far', { host: 'elsewhere' });
    const owner = { ...far.owner, process: { ...far.owner.process, bootId: 'host-elsewhere' } };
    await writeMark(machines.path, { ...far, owner });
    await mkdir(join(machines.path, 'unmarked'));
    expect(await sweepDeadOwners(machines.path, { clock })).toEqual([]);
    expect(await startTimeOf(machine.pid)).toBeDefined();
    expect((await readdir(machines.path)).sort()).toEqual(['far', 'mine', 'unmarked']);
  });

  test('goes on after what cannot be removed, and says what stayed', async () => {
    await using machines = await temporaryFolder();
    const stuck = join(machines.path, 'not-a-cgroup');
    await mkdir(stuck);
    await writeFile(join(stuck, 'file'), '');
    await writeMark(machines.path, deadMark('a', { cgroup: stuck }));
    await writeMark(machines.path, deadMark('b'));
    await expect(sweepDeadOwners(machines.path, { clock })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { leftBehind: ['a'] },
    });
    expect((await readdir(machines.path)).sort()).toEqual(['a', 'not-a-cgroup']);
  });

  test('rejects with the reason of its signal', async () => {
    await using machines = await temporaryFolder();
    await writeMark(machines.path, deadMark('a'));
    await expect(sweepDeadOwners(machines.path, { clock, signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });
});

describe('findMachineProcesses', () => {
  test('finds a process although its folder was removed', async () => {
    await using machines = await temporaryFolder();
    const folder = join(machines.path, 'm');
    await mkdir(folder);
    await using machine = await bystander(folder, ['guest=m']);
    await rmdir(folder);
    expect((await findMachineProcesses({ id: 'm', folder })).map(({ pid }) => pid)).toEqual([machine.pid]);
  });
});
