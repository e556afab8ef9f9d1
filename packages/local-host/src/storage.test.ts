import { chmod, chown, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStorage } from './storage.ts';

const IMAGES = '/var/lib/libvirt/images/warmvm-kit';
const SOMEBODY = 4_242;

let memory: string;

beforeEach(async () => {
  memory = await mkdtemp('/dev/shm/wstorage-');
});

afterEach(() => rm(memory, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('storage in memory', () => {
  test('lies in a folder that nobody else may write, which goes with the last that uses it', async () => {
    const [first, second] = [await openStorage('kit', memory), await openStorage('bench', memory)];
    expect([first.path, second.path]).toEqual([join(memory, 'warmvm/kit'), join(memory, 'warmvm/bench')]);
    expect((await lstat(join(memory, 'warmvm'))).mode & 0o777).toBe(0o711);
    await mkdir(second.path);
    await first[Symbol.asyncDispose]();
    expect((await lstat(second.path)).isDirectory()).toBe(true);
    await rm(second.path, { recursive: true });
    await second[Symbol.asyncDispose]();
    await expect(lstat(join(memory, 'warmvm'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([
    [
      'a link to a folder of this user',
      (path: string) => mkdir(`${path}-target`).then(() => symlink(`${path}-target`, path)),
    ],
    ['a file', (path: string) => writeFile(path, '')],
    ['a folder that others may write', (path: string) => mkdir(path).then(() => chmod(path, 0o777))],
    ['a folder that a group may write', (path: string) => mkdir(path).then(() => chmod(path, 0o770))],
    [
      'a folder of somebody else',
      (path: string) =>
        mkdir(path).then(() => (process.getuid?.() === 0 ? chown(path, SOMEBODY, 0) : chmod(path, 0o777))),
    ],
  ])('is not used where %s has its name, and what is there stays', async (_what, make) => {
    const path = join(memory, 'warmvm');
    await make(path);
    const before = await lstat(path);
    await using storage = await openStorage('kit', memory);
    expect(storage.path).toBe(IMAGES);
    await storage[Symbol.asyncDispose]();
    const after = await lstat(path);
    expect([after.ino, after.mode, after.uid]).toEqual([before.ino, before.mode, before.uid]);
  });

  test('is not used where there is no room or no memory', async () => {
    expect((await openStorage('kit', '/proc')).path).toBe(IMAGES);
    expect((await openStorage('kit', join(memory, 'none'))).path).toBe(IMAGES);
  });
});
