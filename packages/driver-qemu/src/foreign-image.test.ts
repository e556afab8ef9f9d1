import { hostArchitecture } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

describe('an image for another processor than this computer has', () => {
  const own = hostArchitecture();
  const foreign = own === 'x86_64' ? 'aarch64' : 'x86_64';

  test('gets the machine of its processor, emulated, and ping says why', async () => {
    await using world = await World.create();
    const driver = world.newDriver();
    await driver.prepare({ ...world.image, architecture: foreign }, { owner });
    const words = world.newest.words.join(' ');
    expect(words).toContain(foreign === 'aarch64' ? '-machine virt,' : '-machine pc,');
    // Only the PC has the device.
    expect(words.includes('vmgenid')).toBe(foreign === 'x86_64');
    expect(words).toContain('-accel tcg');
    expect(await driver.ping()).toMatchObject({
      acceleration: 'tcg',
      accelerationReason: `the host is ${own}, and guests for ${foreign} are emulated there`,
    });
  });

  test('is refused where hardware is asked for, before anything is started', async () => {
    await using world = await World.create();
    const driver = world.newDriver({ acceleration: 'kvm' });
    const attempt = driver.prepare({ ...world.image, architecture: foreign }, { owner });
    await expect(attempt).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
    expect(world.started).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  test('is refused as a disk of arm64, which no BIOS boots', async () => {
    await using world = await World.create();
    const disk = world.image.boot.kind === 'kernel' ? world.image.boot.kernel : undefined;
    const boot = { kind: 'disk', disk: disk!, format: 'raw', diskBytes: 2 ** 20 } as const;
    const attempt = world.newDriver().prepare({ ...world.image, architecture: 'aarch64', boot }, { owner });
    await expect(attempt).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      message: expect.stringContaining('firmware'),
    });
    expect(await world.files()).toEqual([]);
  });
});
