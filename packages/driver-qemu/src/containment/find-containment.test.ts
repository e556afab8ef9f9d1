import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findContainment, isClosedToMachines } from './find-containment.ts';

const root = process.getuid?.() === 0;

/** What comes of it in a process of root that lacks a capability. */
async function without(capability: string): Promise<string> {
  const script = `
    const { findContainment } = await import(${JSON.stringify(new URL('./find-containment.ts', import.meta.url).href)});
    await findContainment({ sandbox: true }).then(
      ({ safeguards }) => console.log(JSON.stringify(safeguards.filter(({ active }) => !active))),
      ({ code, message }) => console.log(code + ' ' + message),
    );`;
  const node = [process.execPath, '--conditions=@warmvm/source', '--no-warnings', '--input-type=module', '-e', script];
  const words = ['--bounding-set', `-${capability}`, '--inh-caps', '-all', ...node];
  return (await promisify(execFile)('setpriv', words, { cwd: import.meta.dirname })).stdout;
}

describe.runIf(root)('root without a capability', () => {
  test('that it needs to end machines starts none, and is told which', async () => {
    expect(await without('kill')).toMatch(/^WARMVM_HOST_OPERATION .*may not end them; give it .*CAP_KILL/);
  });

  test.each(['setuid', 'setgid'])('to run them as another user (%s) starts none, and is told which', async (name) => {
    expect(await without(name)).toMatch(/^WARMVM_HOST_OPERATION .*does not allow it .*CAP_SETUID, CAP_SETGID/);
  });
});

describe('findContainment', () => {
  test('finds what this computer has, and says what it has not', async () => {
    const containment = await findContainment({ sandbox: true });
    for (const path of [containment.prlimit, containment.setpriv]) if (path !== undefined) expect(path).toMatch(/^\//);
    expect(containment.user !== undefined || containment.userIds !== undefined).toBe(root);
    const told = new Map(containment.safeguards.map(({ name, active }) => [name, active]));
    expect(told.get('core dumps and file sizes')).toBe(containment.prlimit !== undefined);
    expect(told.get('privileges')).toBe(containment.setpriv !== undefined);
    expect(told.get('a user of its own')).toBe(containment.userIds !== undefined);
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

describe.runIf(root)('a device of an acceleration', () => {
  test.each([
    ['of root alone', 0o600, 0, true],
    ['of root and its group, which no machine gets', 0o660, 0, true],
    ['of a group that may only read', 0o640, 4_242, true],
    ['of a group', 0o660, 4_242, false],
    ['of everybody', 0o666, 0, false],
  ])('%s is looked at as the user that QEMU runs as', async (_whose, mode, group, isClosed) => {
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-device-'));
    try {
      const device = join(folder, 'kvm');
      await writeFile(device, '');
      await chown(device, 0, group);
      await chmod(device, mode);
      expect(await isClosedToMachines(device)).toBe(isClosed);
      expect(await isClosedToMachines(device, false)).toBe(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('that is not there is closed to nobody', async () => {
    expect(await isClosedToMachines('/nonexistent/kvm')).toBe(false);
  });
});
