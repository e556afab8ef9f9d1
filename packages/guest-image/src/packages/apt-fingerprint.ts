import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { CallOptions } from '@warmvm/core/driver';

/** Whatever decides which version of a package apt would install. */
export const APT_STATE_PATHS: readonly string[] = [
  '/etc/apt/apt.conf.d',
  '/etc/apt/preferences',
  '/etc/apt/preferences.d',
  '/etc/apt/sources.list',
  '/etc/apt/sources.list.d',
  '/var/lib/apt/lists',
  '/var/lib/dpkg/status',
];

/** A digest over the identity and times of files and folders, without reading them. Absent ones count as absent. */
export async function fingerprintOf(paths: readonly string[], options: CallOptions): Promise<string> {
  options.signal?.throwIfAborted();
  const facts = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      return [path, found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs}`];
    }),
  );
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
