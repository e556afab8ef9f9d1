import { describe, expect, test } from 'vitest';
import { findContainment } from './find-containment.ts';

const root = process.getuid?.() === 0;

describe('findContainment', () => {
  test('finds what this computer has, and says what it has not', async () => {
    const containment = await findContainment({ sandbox: true });
    for (const path of [containment.prlimit, containment.setpriv]) if (path !== undefined) expect(path).toMatch(/^\//);
    expect(containment.user === undefined).toBe(!root);
    const told = new Map(containment.safeguards.map(({ name, active }) => [name, active]));
    expect(told.get('core dumps and file sizes')).toBe(containment.prlimit !== undefined);
    expect(told.get('privileges')).toBe(containment.setpriv !== undefined);
    if (containment.cgroup === undefined) expect(told.get('memory, processes, processors')).toBe(false);
  });

  test('refuses a user that cannot be', async () => {
    await expect(findContainment({ sandbox: true, user: 'no-such-user' })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      message: expect.stringContaining('QEMU cannot run as no-such-user'),
    });
  });

  test('refuses a cgroup that cannot limit anything, rather than do without', async () => {
    const cgroup = '/nonexistent/cgroup';
    await expect(findContainment({ sandbox: true, cgroup })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { cgroup, remedy: expect.stringContaining('cgroup version 2') },
    });
  });

  test.runIf(root)('stays root only when that is asked for, and says so', async () => {
    const containment = await findContainment({ sandbox: true, user: 'root' });
    expect(containment.user).toBeUndefined();
    expect(containment.safeguards).toContainEqual({
      name: 'user',
      active: false,
      detail: 'QEMU runs as root, as options.user asks',
      remedy: 'leave options.user out',
    });
  });
});
