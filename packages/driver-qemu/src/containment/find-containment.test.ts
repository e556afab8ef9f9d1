import { describe, expect, test } from 'vitest';
import { findContainment } from './find-containment.ts';

const root = process.getuid?.() === 0;

describe('findContainment', () => {
  test('finds what this computer has, and says what it has not', async () => {
    const containment = await findContainment({ acceleration: 'tcg' });
    for (const path of [containment.prlimit, containment.setpriv]) if (path !== undefined) expect(path).toMatch(/^\//);
    expect(containment.user === undefined).toBe(!root);
    if (containment.cgroup === undefined) expect(containment.missing.join('\n')).toContain('no cgroup limits');
  });

  test('refuses a user that cannot be', async () => {
    await expect(findContainment({ acceleration: 'tcg', user: 'no-such-user' })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      message: expect.stringContaining('QEMU cannot run as no-such-user'),
    });
  });

  test.runIf(root)('stays root only when that is asked for, and says so', async () => {
    const containment = await findContainment({ acceleration: 'tcg', user: 'root' });
    expect(containment.user).toBeUndefined();
    expect(containment.missing).toContain('QEMU runs as root, as options.user asks');
  });
});
