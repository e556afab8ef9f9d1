import { type Driver, judgeOwner, type MachineRecord, type OwnerFate } from '@warmvm/core';
import type { DriverChoice } from '../config/config.ts';
import type { Settings } from '../config/settings.ts';
import { loadDriver, makeDriver } from '../drivers/load-driver.ts';
import { DEFAULT_POOL } from '../kept-pool/runtime-folder.ts';

/** Something on a host that carries our mark, and what became of the process that made it. */
export interface Leftover {
  readonly record: MachineRecord;
  readonly fate: OwnerFate;
}

/** What is on one host; dispose lets go of the host. */
export interface FoundLeftovers extends AsyncDisposable {
  readonly driver: Driver;
  readonly records: readonly Leftover[];
}

/**
 * Lists what carries a mark of ours on a host: of the pool that is named, else of every pool. Changes nothing.
 * @throws what the driver throws
 */
export async function findLeftovers(
  choice: DriverChoice,
  settings: Pick<Settings, 'folder' | 'pool' | 'drivers' | 'driverPlaces'>,
  signal: AbortSignal,
  pool?: string,
  load: typeof loadDriver = loadDriver,
): Promise<FoundLeftovers> {
  const { driver } = await makeDriver(choice, settings, load);
  try {
    // A driver that cannot list all pools is asked about the one of the settings.
    const records =
      pool === undefined && driver.listAll !== undefined
        ? await driver.listAll({ signal })
        : await driver.list({ pool: pool ?? settings.pool.name ?? DEFAULT_POOL }, { signal });
    return {
      driver,
      records: records.map((record) => ({ record, fate: judgeOwner(record.owner.process) })),
      [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
    };
  } catch (error) {
    await driver[Symbol.asyncDispose]();
    throw error;
  }
}
