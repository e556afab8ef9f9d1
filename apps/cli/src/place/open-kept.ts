import { isWarmvmError } from '@warmvm/core/driver';
import type { SettingsFlags } from '../config/settings.ts';
import { findKeptPool } from './find-kept-pool.ts';
import { keptSource } from './kept-source.ts';
import type { MachineSource } from './machine-source.ts';

/** Flags of a command that takes its machine from a kept pool where one fits. */
export interface KeptPoolFlags extends Omit<SettingsFlags, 'pool'> {
  /** False where a pool that another process keeps is not to be used. */
  readonly pool?: string | false;
}

/** Who hears which pool is used, in words for people. */
export interface PoolChoiceTexts {
  /** Why no pool is used. */
  readonly say: (text: string) => void;
  /** The same where one of that name is kept: people expect it to be used. */
  readonly warn: (text: string) => void;
}

/** Machines of a pool that another process keeps; undefined where none fits. Little else is loaded for it. */
export async function openKept(
  { pool, ...flags }: KeptPoolFlags,
  signal: AbortSignal,
  { say, warn }: PoolChoiceTexts,
): Promise<MachineSource | undefined> {
  if (pool === false) return undefined;
  const sources = { folder: process.cwd(), environment: process.env };
  const search = await findKeptPool(pool === undefined ? flags : { ...flags, pool }, sources, signal);
  if ('connection' in search) return keptSource(search.connection);
  (search.isKept ? warn : say)(`${search.why}: making a machine for this command alone`);
  return undefined;
}

/**
 * Machines of a kept pool as long as it lends any, and after that machines of a source that is opened then: a pool that is being drained still answers.
 * @param own opens the other source
 */
export function untilClosed(
  kept: MachineSource,
  own: () => Promise<MachineSource>,
  warn: (text: string) => void,
): MachineSource {
  let present = kept;
  return {
    get description() {
      return present.description;
    },
    reach: (machineId) => present.reach?.(machineId),
    async lend(options) {
      try {
        return await present.lend(options);
      } catch (error) {
        if (present !== kept || !isWarmvmError(error, 'WARMVM_POOL_CLOSED')) throw error;
        warn(`${kept.description} is being drained: making a machine for this command alone`);
        present = await own();
        return present.lend(options);
      }
    },
    async [Symbol.asyncDispose]() {
      await kept[Symbol.asyncDispose]();
      if (present !== kept) await present[Symbol.asyncDispose]();
    },
  };
}

/** The flags of the settings that a pool of its own is made from. */
export function ownFlags({ pool, ...flags }: KeptPoolFlags): SettingsFlags {
  return typeof pool === 'string' ? { ...flags, pool } : flags;
}
