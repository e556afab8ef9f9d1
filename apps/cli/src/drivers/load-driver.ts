import type { Driver } from '@warmvm/core';
import type { DriverChoice } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { messageOf } from '../errors/explain.ts';
import { loadModule } from '../load-module.ts';
import { BUILT_IN_DRIVERS, type DriverMaker } from './driver-table.ts';

/**
 * What makes the driver of this name: one that comes with the program, else a package or file that exports `createDriver`.
 * @throws ConfigError that names what cannot be loaded, and what was expected of it
 */
export async function loadDriver(use: string, folder: string): Promise<DriverMaker> {
  const builtIn = Object.hasOwn(BUILT_IN_DRIVERS, use) ? BUILT_IN_DRIVERS[use] : undefined;
  if (builtIn !== undefined) return builtIn.load();
  const names = Object.keys(BUILT_IN_DRIVERS).join(', ');
  let module: unknown;
  try {
    module = await loadModule(use, folder);
  } catch (cause) {
    throw new ConfigError(
      `there is no driver ${JSON.stringify(use)}: it is none of ${names}, and ${messageOf(cause)}`,
      { cause },
    );
  }
  const create = (module as { createDriver?: unknown }).createDriver;
  if (typeof create !== 'function') {
    throw new ConfigError(`${use} exports no function createDriver(options); a driver must, to be used by its name`);
  }
  return { create: create as DriverMaker['create'] };
}

/** @throws ConfigError that names the driver and the option that it refuses */
export async function makeDriver(
  choice: DriverChoice,
  folder: string,
  load: typeof loadDriver = loadDriver,
): Promise<{ driver: Driver; maker: DriverMaker }> {
  const maker = await load(choice.use, folder);
  try {
    return { driver: maker.create(choice.options ?? {}), maker };
  } catch (cause) {
    throw new ConfigError(`driver ${choice.use} refuses its options: ${messageOf(cause)}`, { cause });
  }
}
