import { ConfigError } from '../config/config-error.ts';
import { readSettings } from '../config/settings.ts';
import type { ControlConnection } from '../kept-pool/client/control-connection.ts';
import { connectPool } from '../kept-pool/client/find-pool.ts';
import { DEFAULT_POOL, poolNames } from '../kept-pool/runtime-folder.ts';

/**
 * Talks to a kept pool, and ends the connection after that.
 * @param name by default that of the environment or the configuration, as where it was started; one that is given needs no sound configuration
 * @throws ConfigError when no pool of that name is kept
 */
export async function talkToPool<Result>(
  name: string | undefined,
  signal: AbortSignal,
  talk: (connection: ControlConnection) => Promise<Result>,
): Promise<Result> {
  const wanted = name ?? (await readSettings({})).pool.name ?? DEFAULT_POOL;
  const connection = await connectPool(wanted, signal);
  if (connection === undefined) {
    const others = poolNames().filter((other) => other !== wanted);
    const hint = others.length === 0 ? '' : `; there may be: ${others.join(', ')}`;
    throw new ConfigError(`no pool ${JSON.stringify(wanted)} is kept here${hint}. Keep one with: warmvm pool start`);
  }
  try {
    return await talk(connection);
  } finally {
    connection.close();
  }
}
