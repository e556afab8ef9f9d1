import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, loadSettings, openPool } from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-programs-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A driver of somebody else, which tells what becomes of it. */
const DRIVER = `
import { createFakeDriver } from '${import.meta.resolve('@warmvm/driver-fake')}';
export function createDriver({ told }) {
  const driver = createFakeDriver();
  const dispose = driver[Symbol.asyncDispose].bind(driver);
  driver[Symbol.asyncDispose] = async () => {
    await dispose();
    globalThis[told] = driver.host.objects().total;
  };
  return driver;
}
`;

describe('a program', () => {
  test('works with what the file says, unless the environment or itself says otherwise', async () => {
    await writeFile(join(folder, 'warmvm.config.json'), '{ "driver": "fake", "pool": { "max": 7, "minReady": 2 } }');
    const settings = await loadSettings({ max: 3 }, { folder, environment: { WARMVM_POOL: 'nightly' } });
    expect(settings).toMatchObject({
      drivers: [{ use: 'fake' }],
      pool: { name: 'nightly', max: 3, minReady: 2 },
      configPath: join(folder, 'warmvm.config.json'),
    });
    await using opened = await openPool(settings);
    expect(opened.pool.stats()).toMatchObject({ minReady: 2, max: 3 });
    expect(opened.pool.name).toBe('nightly');
    const lease = await opened.pool.acquire();
    expect((await lease.guest.exec(['true'])).exitCode).toBe(0);
  });

  test('hears of a mistake as a ConfigError that names it', async () => {
    const environment = { WARMVM_DRIVER: 'nonesuch' };
    const settings = await loadSettings({}, { folder, environment });
    const opening = openPool(settings);
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.toThrow('"nonesuch"');
  });

  test('ends the driver with the pool, and that leaves nothing', async () => {
    await writeFile(join(folder, 'driver.mjs'), DRIVER);
    const told = `told ${folder}`;
    const driver = { use: './driver.mjs', options: { told } };
    const image = { kernel: 'driver.mjs', initrd: 'driver.mjs', renewal: '/renew' };
    const steps: string[] = [];
    {
      const settings = { drivers: [driver], image, pool: {}, configPath: undefined, folder };
      await using opened = await openPool(settings, { onProgress: (text) => steps.push(text) });
      await opened.pool.ready();
    }
    expect((globalThis as Record<string, unknown>)[told]).toBe(0);
    expect(steps).toContain('taking the snapshot of its memory and disk');
  });
});
