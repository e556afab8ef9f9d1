import type { SettingsFlags } from '../config/settings.ts';
import { findKeptPool } from './find-kept-pool.ts';
import { keptSource } from './kept-source.ts';
import type { MachineSource } from './machine-source.ts';

/** Flags of a command that takes its machine from a kept pool where one fits. */
export interface KeptPoolFlags extends Omit<SettingsFlags, 'pool'> {
  /** False where a pool that another process keeps is not to be used. */
  readonly pool?: string | false;
}

/** Machines of a pool that another process keeps; undefined where none fits, and `say` is told why. Little else is loaded for it. */
export async function openKept(
  { pool, ...flags }: KeptPoolFlags,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<MachineSource | undefined> {
  if (pool === false) return undefined;
  const sources = { folder: process.cwd(), environment: process.env };
  const search = await findKeptPool(pool === undefined ? flags : { ...flags, pool }, sources, signal);
  if ('connection' in search) return keptSource(search.connection);
  say(`${search.why}: making a machine for this command alone`);
  return undefined;
}

/** The flags of the settings that a pool of its own is made from. */
export function ownFlags({ pool, ...flags }: KeptPoolFlags): SettingsFlags {
  return typeof pool === 'string' ? { ...flags, pool } : flags;
}
