import { writeFile } from 'node:fs/promises';
import type { GoldenImage, KernelBoot } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

const fileOf = (image: GoldenImage) => (image.boot as KernelBoot).initrd;

describe('an upload', () => {
  test('is read back from the host once and held against the digest', async () => {
    await using world = await World.create();
    await world.prepare();
    const count = (name: string): number => world.host.calls.filter((call) => call === name).length;
    expect([count('storageVolUpload'), count('storageVolDownload')]).toEqual([3, 2]);
    await world.prepare();
    expect(count('storageVolDownload')).toBe(2);
  });

  test('is not read back where that was not wanted', async () => {
    await using world = await World.create({ verifyUploads: false });
    await world.prepare();
    expect(world.host.calls).not.toContain('storageVolDownload');
  });

  test.each(['storageVolUpload', 'storageVolDownload'] as const)(
    'that breaks at %s begins anew when the connection is back, and its progress too',
    async (name) => {
      await using world = await World.create();
      world.host.fault(name, 'die');
      const fractions: number[] = [];
      await world.driver.prepare(world.image, {
        owner,
        onProgress: ({ step, fraction }) => {
          if (step === 'upload' && fraction !== undefined) fractions.push(fraction);
        },
      });
      expect(fractions.at(-1)).toBe(1);
    },
  );

  test('of a connection that breaks again and again fails at last', async () => {
    await using world = await World.create();
    world.host.script('storageVolUpload', () => 'die');
    await expect(world.prepare()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION', retryable: true });
    expect(world.host.calls.filter((call) => call === 'storageVolUpload')).toHaveLength(3);
    world.host.script('storageVolUpload');
    expect(world.host.inventory).toEqual([]);
  });

  test('of a file that has changed since the image was described is refused', async () => {
    await using world = await World.create();
    const { path, digest } = fileOf(world.image);
    await writeFile(path, 'THE INITRD');
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      details: { path, expected: digest },
    });
    expect(world.host.inventory).toEqual([]);
  });

  test('that the host stores wrongly is found out', async () => {
    await using world = await World.create();
    world.host.script('storageVolDownload', () => {
      for (const pool of world.host.storage.pools.values()) {
        for (const volume of pool.volumes.values()) volume.content = Buffer.from('rotten');
      }
      return undefined;
    });
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      details: { expected: expect.stringMatching(/^sha256:/), found: expect.stringMatching(/^sha256:/) },
    });
    expect(world.host.inventory).toEqual([]);
  });
});
