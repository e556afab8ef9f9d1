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

/** Lists what carries the mark of the pool of these settings. @throws what the driver throws */
export async function findLeftovers(
  choice: DriverChoice,
  settings: Pick<Settings, 'folder' | 'pool' | 'drivers' | 'driverPlaces'>,
  signal: AbortSignal,
  load: typeof loadDriver = loadDriver,
): Promise<FoundLeftovers> {
  const { driver } = await makeDriver(choice, settings, load);
  try {
    const records = await driver.list({ pool: settings.pool.name ?? DEFAULT_POOL }, { signal });
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
