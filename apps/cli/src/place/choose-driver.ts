import type { DriverChoice } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';

/** What is looked at to choose; replaced in tests. */
export interface DriverFacts {
  /** Whether the program QEMU is installed. */
  hasQemu(): Promise<boolean>;
  /** Whether a libvirt daemon answers this user. */
  hasLibvirt(): Promise<boolean>;
}

/**
 * The driver for those who named none: QEMU itself, else libvirt. Never the fake: whoever runs something means a real machine.
 * @throws ConfigError that says what to do where there is no hypervisor
 */
export async function chooseDriver(facts: DriverFacts): Promise<DriverChoice> {
  if (await facts.hasQemu()) return { use: 'qemu' };
  if (await facts.hasLibvirt()) return { use: 'libvirt' };
  throw new ConfigError(
    'there is no hypervisor here that this user may use: no QEMU is installed, and no libvirt daemon answers. ' +
      'See what is missing with: warmvm doctor. To try without real machines: --driver fake',
  );
}
