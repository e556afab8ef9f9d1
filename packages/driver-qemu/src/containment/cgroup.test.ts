import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { cgroupLimits, createCgroup, findCgroupParent, joinCgroup, removeCgroup, removeCgroupsOf } from './cgroup.ts';

/** Folders and files in the shape of a cgroup file system: the kernel is not asked. */
async function cgroup(path: string, enabled: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'cgroup.controllers'), 'cpu memory pids\n');
  await writeFile(join(path, 'cgroup.subtree_control'), enabled);
  await writeFile(join(path, 'cgroup.procs'), '');
  return path;
}

describe('findCgroupParent', () => {
  test('takes the one that is asked for', async () => {
    await using root = await temporaryFolder();
    await cgroup(root.path, '');
    const path = await cgroup(join(root.path, 'mine'), 'cpu memory pids\n');
    expect(await findCgroupParent(path, root.path)).toEqual({ path, controllers: ['cpu', 'memory', 'pids'] });
  });

  test('says what is missing of it, and what to do', async () => {
    await using root = await temporaryFolder();
    const path = await cgroup(root.path, 'pids\n');
    expect(await findCgroupParent(path, root.path)).toEqual({
      reason: `${path} does not pass memory and pids on`,
      remedy: `write "+memory +pids +cpu" to ${path}/cgroup.subtree_control`,
    });
  });

  test('says where there is no version 2', async () => {
    await using root = await temporaryFolder();
    expect(await findCgroupParent(undefined, root.path)).toMatchObject({
      reason: expect.stringContaining('is not a cgroup version 2 file system'),
      remedy: expect.stringContaining('systemd.unified_cgroup_hierarchy=1'),
    });
  });

  test('takes none unasked that is not this user’s own', async () => {
    await using root = await temporaryFolder();
    await cgroup(root.path, 'cpu memory pids\n');
    expect(await findCgroupParent(undefined, join(root.path))).toHaveProperty('remedy');
  });
});

describe('a cgroup of a machine', () => {
  test('has the limits that its parent can pass on', async () => {
    await using root = await temporaryFolder();
    const limits = cgroupLimits({ memoryBytes: 2 ** 28, virtualCpus: 2, acceleration: 'kvm' });
    const path = await createCgroup({ path: root.path, controllers: ['memory', 'pids'] }, 'a-1', limits);
    expect(path).toMatch(/\/a-1\.[0-9a-f]{8}$/);
    expect((await readdir(path)).sort()).toEqual(['memory.max', 'memory.oom.group', 'pids.max']);
    expect(await readFile(join(path, 'memory.max'), 'utf8')).toBe(String(2 ** 29));
    const all = await createCgroup({ path: root.path, controllers: ['cpu'] }, 'b', limits);
    expect(await readFile(join(all, 'cpu.max'), 'utf8')).toBe('300000 100000');
    await joinCgroup(all, 7);
    expect(await readFile(join(all, 'cgroup.procs'), 'utf8')).toBe('7');
  });

  test('that cannot be made is said', async () => {
    const limits = { memoryBytes: 1, processes: 1, processors: 1 };
    await expect(createCgroup({ path: '/proc/none', controllers: [] }, 'a', limits)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
    });
  });

  test('that is gone needs no removal, and others’ stay', async () => {
    await using root = await temporaryFolder();
    await mkdir(join(root.path, 'a-10.12345678'));
    await removeCgroup(join(root.path, 'never'), systemClock);
    await removeCgroupsOf({ path: root.path, controllers: [] }, 'a-1', systemClock);
    expect(await readdir(root.path)).toEqual(['a-10.12345678']);
  });
});
