import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureKvmAccess, groupId } from './kvm-access.ts';

const GROUPS = `root:x:0:\nkvm:x:${process.getgid?.() ?? 0}:\n`;

describe('ensureKvmAccess', () => {
  let folder: string;
  let device: string;
  let groupFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvm-access-'));
    device = join(folder, 'kvm');
    groupFile = join(folder, 'group');
    await writeFile(device, '');
    await chmod(device, 0o600);
    await writeFile(groupFile, GROUPS);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('opens the device to the group and says so', async () => {
    const said: string[] = [];
    const access = await ensureKvmAccess({ device, groupFile, onProgress: (text) => said.push(text) });
    expect(access.changed).toBe(true);
    expect((await stat(device)).mode & 0o777).toBe(0o660);
    expect(said).toEqual([`opening ${device} to group kvm, as udev would (chgrp kvm, chmod 660)`]);
  });

  test('gives the former mode back when disposed', async () => {
    const access = await ensureKvmAccess({ device, groupFile });
    await access[Symbol.asyncDispose]();
    expect((await stat(device)).mode & 0o777).toBe(0o600);
  });

  test('leaves a device alone that the group can use already', async () => {
    await chmod(device, 0o666);
    const access = await ensureKvmAccess({ device, groupFile });
    expect(access.changed).toBe(false);
    expect((await stat(device)).mode & 0o777).toBe(0o666);
  });

  test('does nothing where there is no such device', async () => {
    expect((await ensureKvmAccess({ device: join(folder, 'none'), groupFile })).changed).toBe(false);
  });

  test('does nothing where there is no group kvm', async () => {
    await writeFile(groupFile, 'root:x:0:\n');
    expect((await ensureKvmAccess({ device, groupFile })).changed).toBe(false);
    expect((await stat(device)).mode & 0o777).toBe(0o600);
  });
});

test('groupId takes only whole names and numbers', () => {
  expect(groupId('xkvm:x:1:\nkvm:x:12:a,b\n', 'kvm')).toBe(12);
  expect(groupId('kvm:x:abc:\n', 'kvm')).toBeUndefined();
});
