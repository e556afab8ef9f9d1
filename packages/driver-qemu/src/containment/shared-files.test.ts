import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import type { ContainedUser } from './launch.ts';
import { requirePassable, requireReadable, shareFile, shareFolder } from './shared-files.ts';

/** Somebody else, in a group of ours. */
const user: ContainedUser = { name: 'guest', uid: 2 ** 20, gid: process.getgid?.() ?? 0, groups: [] };
/** Somebody else, in no group of ours. */
const stranger: ContainedUser = { ...user, gid: 2 ** 20 };
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('a file that QEMU uses', () => {
  test('stays private where QEMU runs as we do', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, '', { mode: 0o600 });
    await shareFile(path, 'write', undefined);
    await shareFolder(folder.path, 'write', undefined);
    expect([await modeOf(path), await modeOf(folder.path)]).toEqual([0o600, 0o700]);
  });

  test('is open to the group of another user, as far as it must be, and stays ours', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, '', { mode: 0o600 });
    await shareFile(path, 'write', user);
    expect(await modeOf(path)).toBe(0o660);
    await shareFile(path, 'read', user);
    expect(await modeOf(path)).toBe(0o440);
    await shareFolder(folder.path, 'read', user);
    expect(await modeOf(folder.path)).toBe(0o710);
    expect((await stat(path)).uid).toBe(process.getuid?.());
  });
});

describe('requirePassable', () => {
  test('finds the folder above that keeps QEMU out, and says what to do', async () => {
    await using folder = await temporaryFolder();
    const closed = join(folder.path, 'closed');
    const inner = join(closed, 'inner');
    await mkdir(inner, { recursive: true });
    await chmod(folder.path, 0o711);
    await chmod(closed, 0o700);
    await chmod(inner, 0o711);
    await requirePassable(inner, undefined);
    await expect(requirePassable(inner, stranger)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { folder: closed },
      message: expect.stringContaining("options.user to 'root'"),
    });
    await chmod(closed, 0o710);
    await expect(requirePassable(inner, stranger)).rejects.toThrow(closed);
    await requirePassable(inner, user);
  });
});

describe('requireReadable', () => {
  test('finds a disk that QEMU may not read, and the folder that hides one', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o711);
    const path = join(folder.path, 'disk');
    await writeFile(path, '');
    await chmod(path, 0o640);
    await requireReadable(path, undefined);
    await requireReadable(path, user);
    await expect(requireReadable(path, stranger)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      message: expect.stringContaining(`may not read ${path}: chmod o+r it`),
    });
    await chmod(path, 0o604);
    await requireReadable(path, stranger);
    await chmod(folder.path, 0o700);
    await expect(requireReadable(path, stranger)).rejects.toThrow(`cannot pass through ${folder.path}`);
  });
});
