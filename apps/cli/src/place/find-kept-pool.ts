import { resolve } from 'node:path';
import type { DriverChoice } from '../config/config.ts';
import { findConfigFile } from '../config/find-config-file.ts';
import type { SettingsFlags, SettingsSources } from '../config/settings.ts';
import type { ControlConnection } from '../kept-pool/client/control-connection.ts';
import { connectPool, isSameStamp, mismatchOf, stampOf, type WantedPool } from '../kept-pool/client/find-pool.ts';
import { otherPools } from '../kept-pool/pool-records.ts';
import { DEFAULT_POOL, ownPlace, poolNames, RUNTIME_VARIABLE, type RuntimePlace } from '../kept-pool/runtime-folder.ts';

/** A pool that another process keeps and that is what was asked for, or why there is none. */
export type KeptPoolSearch =
  | { readonly connection: ControlConnection }
  /** `isKept`: there is one of that name, which is not used. */
  | { readonly why: string; readonly isKept: boolean };

/**
 * Looks for a kept pool that fits. Reads the configuration only where it must: a warm machine is there sooner than a file is read.
 * @throws ConfigError for a mistake in what was read; what a pool says that refuses us; the signal's reason
 */
export async function findKeptPool(
  flags: SettingsFlags,
  { folder, environment }: SettingsSources,
  signal: AbortSignal,
): Promise<KeptPoolSearch> {
  if (
    (flags.uri !== undefined && flags.driver === undefined) ||
    (environment.WARMVM_URI && !environment.WARMVM_DRIVER)
  ) {
    return { why: 'an address without a driver says nothing', isKept: false };
  }
  const place = { ...ownPlace(), environment };
  const explicit = flags.pool ?? (environment.WARMVM_POOL || undefined);
  const driver = driverOf(flags, environment);
  const given: WantedPool = {
    drivers: driver === undefined ? undefined : [driver],
    image: flags.image ?? (environment.WARMVM_IMAGE || undefined),
    folder: resolve(folder),
    acceptsFake: false,
  };
  const look = async (name: string, wanted: (connection: ControlConnection) => WantedPool | undefined) => {
    const connection = await connectPool(name, signal, place);
    if (connection === undefined) return unseen(name, place);
    const asked = wanted(connection);
    const why =
      asked === undefined
        ? `pool ${name} was started with another configuration`
        : mismatchOf(asked, connection.welcome);
    if (why === undefined) return { connection };
    connection.close();
    return { why, isKept: true };
  };
  const configPath = flags.config ?? (environment.WARMVM_CONFIG || undefined) ?? findConfigFile(folder);
  if (configPath === undefined) return look(explicit ?? DEFAULT_POOL, () => given);

  const stamp = stampOf(resolve(folder, configPath));
  const configured = { ...given, acceptsFake: true };
  for (const name of explicit === undefined ? poolNames(place) : [explicit]) {
    const search = await look(name, ({ welcome }) => (isSameStamp(stamp, welcome.config) ? configured : undefined));
    if ('connection' in search) return search;
  }
  const { readSettings } = await import('../config/settings.ts');
  const settings = await readSettings(flags, { folder, environment });
  return look(settings.pool.name ?? DEFAULT_POOL, () => ({
    drivers: settings.drivers.length === 0 ? undefined : settings.drivers,
    image: settings.image,
    folder: resolve(settings.folder),
    acceptsFake: false,
  }));
}

/** Why nothing answers: no pool of that name is kept, or one is, where this process does not look. */
function unseen(name: string, place: RuntimePlace): { readonly why: string; readonly isKept: boolean } {
  const elsewhere = otherPools(place).find(({ pool }) => pool === name);
  if (elsewhere === undefined) return { why: `no pool ${name} is kept here`, isKept: false };
  const { owner, socket } = elsewhere;
  const what = `pool ${name} is kept by process ${owner.pid}, and its socket ${socket} cannot be reached from here`;
  return { why: `${what} (${RUNTIME_VARIABLE} names one folder for both)`, isKept: true };
}

function driverOf(
  { driver, uri }: SettingsFlags,
  environment: SettingsSources['environment'],
): DriverChoice | undefined {
  const use = driver ?? (environment.WARMVM_DRIVER || undefined);
  const where = driver === undefined ? environment.WARMVM_URI || undefined : uri;
  if (use === undefined) return undefined;
  return { use, ...(where === undefined ? {} : { options: { uri: where } }) };
}
