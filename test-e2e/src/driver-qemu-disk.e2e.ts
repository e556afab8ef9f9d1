import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Driver, GoldenImage } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage, cloudSeed, describeDiskImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grubDisk } from './support/grub-disk.ts';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ownerOf, shell } from './support/tenant.ts';

let folder: string;
let host: QemuHost;
let driver: Driver;
let image: GoldenImage;
const owner = ownerOf('e2e-qemu-disk');
const seed = cloudSeed({ userData: { hostname: 'from: the seed' }, networkConfig: { version: 2 } });

beforeAll(async () => {
  host = await openQemuHost();
  driver = createQemuDriver({ stateDirectory: host.stateDirectory });
  // QEMU runs as another user: what it reads must be readable to that one.
  folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-disk-'));
  await chmod(folder, 0o755);
  const tiny = await buildTinyImage();
  if (tiny.boot.kind !== 'kernel') throw new Error('the tiny image has no kernel');
  await grubDisk(join(folder, 'disk.qcow2'), tiny.boot);
  await writeFile(join(folder, 'seed.iso'), seed);
  const paths = { path: join(folder, 'disk.qcow2'), seed: join(folder, 'seed.iso') };
  image = await describeDiskImage({ ...paths, ...(tiny.renewal === undefined ? {} : { renewal: tiny.renewal }) });
});

afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

describe('a disk of the user’s own, which boots by itself', () => {
  test('is a golden image: forks share it, and a reset brings it back', async () => {
    const golden = await driver.prepare(image, { owner });
    await using one = await driver.fork(golden, { owner });
    await using other = await driver.fork(golden, { owner });
    expect(await shell(one.guest, 'grep " /disk " /proc/mounts')).toMatch(/^\/dev\/vda1 \/disk ext4 rw/);
    expect(await shell(one.guest, 'ls /disk/boot')).toBe('initrd\nkernel\npartition');
    await shell(one.guest, 'echo mine > /disk/tenant; rm /disk/boot/kernel; sync');
    expect(await shell(other.guest, 'ls /disk /disk/boot')).not.toContain('tenant');
    await one.reset();
    expect(await shell(one.guest, 'ls /disk')).not.toContain('tenant');
    expect(await shell(one.guest, 'ls /disk/boot')).toContain('kernel');
  });

  test('comes with its seed as a second disk that nobody can write to', async () => {
    const golden = await driver.prepare(image, { owner });
    await using machine = await driver.fork(golden, { owner });
    const { stdout } = await machine.guest.exec(['head', '-c', String(seed.byteLength), '/dev/vdb']);
    expect(Buffer.from(stdout).equals(seed)).toBe(true);
    expect(await shell(machine.guest, 'cat /sys/block/vdb/ro')).toBe('1');
  });
});
