import type { Command } from 'commander';
import { BUILT_IN_DRIVERS } from './drivers/driver-table.ts';

/** Options of a command that takes its machine from a kept pool where one fits. */
export function withKeptPoolOptions(command: Command): Command {
  return withSettingsOptions(command).option(
    '--no-pool',
    'make a machine for this command alone, also where a kept pool has one ready',
  );
}

/** Options of every command that takes settings: what is to be made, and where. */
export function withSettingsOptions(
  command: Command,
  { withPool = true }: { readonly withPool?: boolean } = {},
): Command {
  const named = command
    .option('--config <file>', 'configuration (default: the nearest warmvm.config.{ts,mts,mjs,js,json})')
    .option(
      '--driver <name>',
      `${Object.keys(BUILT_IN_DRIVERS).join(', ')}, or a package or file that exports createDriver`,
    )
    .option('--uri <uri>', 'which hypervisor of the driver, such as qemu:///session')
    .option('--image <name>', 'tiny, a name of yours (warmvm image list), or the path of a disk image');
  return !withPool ? named : named.option('--pool <name>', 'name of the pool (default: "default")');
}
