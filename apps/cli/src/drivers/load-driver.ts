import type { Driver } from '@warmvm/core';
import { nearestName } from '@warmvm/core/driver';
import type { DriverChoice } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DriverPlace, Settings } from '../config/settings.ts';
import { messageOf } from '../errors/explain.ts';
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
    const { loadModule } = await import('@warmvm/local-host');
    module = await loadModule(use, folder);
  } catch (cause) {
    const meant = nearestName(use, Object.keys(BUILT_IN_DRIVERS));
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw new ConfigError(
      `there is no driver ${JSON.stringify(use)}${hint}\n  It is none of ${names}, and ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  const create = (module as { createDriver?: unknown }).createDriver;
  if (typeof create !== 'function') {
    throw new ConfigError(`${use} exports no function createDriver(options); a driver must, to be used by its name`);
  }
  return { create: create as DriverMaker['create'] };
}

/** @throws ConfigError that names the place of the driver, or of the option that it refuses, and says why */
export async function makeDriver(
  choice: DriverChoice,
  { folder, drivers, driverPlaces = [] }: Pick<Settings, 'folder' | 'drivers' | 'driverPlaces'>,
  load: typeof loadDriver = loadDriver,
): Promise<{ driver: Driver; maker: DriverMaker }> {
  const place = driverPlaces[drivers.indexOf(choice)];
  let maker: DriverMaker;
  try {
    maker = await load(choice.use, folder);
  } catch (cause) {
    if (place === undefined || !(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`${place.from}: ${place.key}: ${cause.message}`, { cause });
  }
  try {
    return { driver: maker.create(choice.options ?? {}), maker };
  } catch (cause) {
    const words = place === undefined ? messageOf(cause) : `${place.from}:\n  ${placed(messageOf(cause), place)}`;
    throw new ConfigError(`driver ${choice.use} refuses its options in ${words}`, { cause });
  }
}

/** Drivers say `options.name is ...`: what that is called where the driver was named. */
function placed(message: string, { key, uri }: DriverPlace): string {
  const option = /^options\.uri\b/;
  if (option.test(message)) return message.replace(option, uri);
  return message.startsWith('options') ? `${key}.${message}` : `${key}.options: ${message}`;
}
