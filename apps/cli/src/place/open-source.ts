import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { chooseDriver, type DriverFacts } from './choose-driver.ts';
import type { MachineSource } from './machine-source.ts';
import { type OpenPoolOptions, openOwnSource } from './own-pool.ts';

/** This computer. */
export const LOCAL_FACTS: DriverFacts = {
  async hasQemu() {
    const name = process.arch === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64';
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const found = await access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      );
      if (folder !== '' && found) return true;
    }
    return false;
  },
  async hasLibvirt() {
    const { answers, candidateSockets } = await import('@warmvm/local-host');
    for (const socket of candidateSockets('/run/libvirt')) if (await answers(socket)) return true;
    return false;
  },
};

/** The settings with a driver: the one that was chosen, or the best that there is. @throws ConfigError */
export async function withDriver(settings: Settings, facts: DriverFacts = LOCAL_FACTS): Promise<Settings> {
  return settings.drivers.length > 0 ? settings : { ...settings, drivers: [await chooseDriver(facts)] };
}

/** Where a command gets its machine from. @throws ConfigError, and what drivers throw */
export async function openSource(settings: Settings, options: OpenPoolOptions): Promise<MachineSource> {
  return openOwnSource(await withDriver(settings), options);
}
