import { existsSync } from 'node:fs';
import type { DriverChoice } from '../config/config.ts';
import type { Settings } from '../config/settings.ts';
import { chooseDriver, type DriverFacts } from '../place/choose-driver.ts';
import { LOCAL_FACTS } from '../place/open-source.ts';
import { startStateFolder } from '../start/state-folder.ts';

/**
 * Hosts on which dead owners may have left something: those of the settings, or every hypervisor of this computer if none is configured; and what `warmvm start` made
 * with QEMU, which has a state folder of its own.
 * @throws ConfigError where no hypervisor is installed
 */
export async function hostsToSweep(
  settings: Pick<Settings, 'drivers'>,
  facts: DriverFacts = LOCAL_FACTS,
  startFolder: string = startStateFolder(),
): Promise<readonly DriverChoice[]> {
  const chosen = settings.drivers.length > 0 ? settings.drivers : await localDrivers(facts);
  const hasQemu = chosen.some(({ use }) => use === 'qemu');
  if (!hasQemu || !existsSync(startFolder)) return chosen;
  return [...chosen, { use: 'qemu', options: { stateDirectory: startFolder } }];
}

/** A host, for people. */
export function hostName({ use, options }: DriverChoice): string {
  const where = options?.uri ?? options?.host ?? options?.stateDirectory;
  return typeof where === 'string' ? `${use} (${where})` : use;
}

async function localDrivers(facts: DriverFacts): Promise<readonly DriverChoice[]> {
  const first = await chooseDriver(facts);
  const isQemuFirst = first.use === 'qemu';
  return isQemuFirst && (await facts.hasLibvirt()) ? [first, { use: 'libvirt' }] : [first];
}
