import { createHash } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskBoot, KernelBoot } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { referToFile } from './file-digest.ts';
import { type DigestedImage, imageDigest, sealImage } from './image-digest.ts';

const reference = (letter: string): { path: string; digest: string; sizeBytes: number } => ({
  path: `/${letter}`,
  digest: `sha256:${letter.repeat(64)}`,
  sizeBytes: 7,
});
const boot: KernelBoot = {
  kind: 'kernel',
  kernel: reference('a'),
  initrd: reference('b'),
  commandLine: 'quiet',
  diskBytes: 1024,
};
const image: DigestedImage = { architecture: 'x86_64', boot, memoryBytes: 1, virtualCpus: 1, network: 'none' };
const diskBoot: DiskBoot = { kind: 'disk', disk: reference('a'), format: 'raw', diskBytes: 1024 };

describe('imageDigest', () => {
  test('is the same whatever the order of properties, names and paths', () => {
    const turned = Object.fromEntries(Object.entries(image).reverse()) as unknown as DigestedImage;
    const moved: DigestedImage = { ...turned, boot: { ...boot, kernel: { ...boot.kernel, path: '/elsewhere' } } };
    expect(imageDigest({ ...moved, name: 'x' } as DigestedImage)).toBe(imageDigest(image));
    expect(imageDigest(image)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('stays what it is from release to release', () => {
    expect(imageDigest(image)).toBe('sha256:d810f2c8300b6c573b1896c1abd3bf008e1955e5b90a411cdcb5776c24373ad7');
  });

  test.each<[string, DigestedImage]>([
    ['architecture', { ...image, architecture: 'aarch64' }],
    ['memory', { ...image, memoryBytes: 2 }],
    ['processors', { ...image, virtualCpus: 2 }],
    ['network', { ...image, network: 'user' }],
    ['renewal', { ...image, renewal: { command: '/renew' } }],
    ['kernel', { ...image, boot: { ...boot, kernel: reference('c') } }],
    ['initrd', { ...image, boot: { ...boot, initrd: reference('c') } }],
    ['command line', { ...image, boot: { ...boot, commandLine: '' } }],
    ['disk size', { ...image, boot: { ...boot, diskBytes: 2048 } }],
    ['kind of boot', { ...image, boot: diskBoot }],
  ])('changes with the %s', (_, changed) => {
    expect(imageDigest(changed)).not.toBe(imageDigest(image));
  });

  test.each<[string, DiskBoot]>([
    ['content', { ...diskBoot, disk: reference('c') }],
    ['format', { ...diskBoot, format: 'qcow2' }],
    ['size', { ...diskBoot, diskBytes: 2048 }],
  ])('changes with the %s of a disk', (_, changed) => {
    expect(imageDigest({ ...image, boot: changed })).not.toBe(imageDigest({ ...image, boot: diskBoot }));
  });
});

describe('sealImage', () => {
  test('freezes the image to the bottom and leaves what it was made from alone', () => {
    const sealed = sealImage('n', { ...image, renewal: { command: '/renew' } });
    const parts = [sealed, sealed.boot, (sealed.boot as KernelBoot).kernel, sealed.renewal];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
    expect(Object.isFrozen(boot)).toBe(false);
  });
});

describe('referToFile', () => {
  test('gives path, size and digest', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'file');
    const content = Buffer.alloc(3 * 1024 * 1024 + 1, 'x');
    await writeFile(path, content);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    expect(await referToFile(path)).toEqual({ path, digest, sizeBytes: content.length });
  });

  test('notices other content of the same size and time', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'file');
    await writeFile(path, 'one');
    await utimes(path, 1, 1);
    const before = await referToFile(path);
    await writeFile(path, 'two');
    await utimes(path, 1, 1);
    expect((await referToFile(path)).digest).not.toBe(before.digest);
  });

  test('forgets the oldest digests and still answers rightly', async () => {
    await using folder = await temporaryFolder();
    const paths = Array.from({ length: 260 }, (_, index) => join(folder.path, `${index}`));
    for (const path of paths) await writeFile(path, path);
    for (const path of paths) await referToFile(path);
    const first = paths[0] as string;
    expect((await referToFile(first)).digest).toBe(`sha256:${createHash('sha256').update(first).digest('hex')}`);
  });

  test('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    await expect(referToFile('/nowhere', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('refuses a file that is absent and a folder', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'folder'));
    await expect(referToFile(join(folder.path, 'absent'))).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      cause: expect.objectContaining({ code: 'ENOENT' }),
    });
    await expect(referToFile(join(folder.path, 'folder'))).rejects.toThrow(/not a regular file/);
  });
});
