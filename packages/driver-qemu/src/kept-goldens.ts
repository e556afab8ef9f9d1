import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, systemClock } from '@warmvm/core/driver';
import { MANIFEST_NAME, readManifest } from './golden/manifest.ts';
import { StateFolder } from './home/state-folder.ts';
import { cachedTemplates, removeUnused } from './state-directory/template-cache.ts';
import { defaultStateDirectory } from './workshop.ts';

/** A golden snapshot that stays on the disk for the next process. */
export interface KeptGolden {
  /** Name of its folder: the key of the machine that it fits. */
  readonly name: string;
  /** Its folder, as an absolute path. */
  readonly directory: string;
  /** Digest of the image that it was made from; null when its manifest cannot be read. */
  readonly digest: string | null;
  /** Bytes that it takes of the disk. Its files are sparse: their lengths say more. */
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly lastUsedMs: number;
  /** A process holds it, or a process that cannot be judged from here. */
  readonly inUse: boolean;
}

/** Where {@link listKeptGoldens} and {@link pruneKeptGoldens} look. */
export interface KeptGoldensOptions extends CallOptions {
  /** @default that of `createQemuDriver` for this user */
  readonly stateDirectory?: string;
}

/** Lists the golden snapshots that are kept in a state folder. Changes nothing; a folder that does not exist has none. */
export async function listKeptGoldens(options: KeptGoldensOptions = {}): Promise<readonly KeptGolden[]> {
  options.signal?.throwIfAborted();
  const cache = cacheIn(options);
  const templates = await cachedTemplates(cache);
  return Promise.all(
    templates.map(async ({ name, bytes, lastUsedMs, used }) => {
      const directory = join(cache, name);
      return { name, directory, digest: await digestIn(directory), sizeBytes: bytes, lastUsedMs, inUse: used };
    }),
  );
}

/**
 * Removes the golden snapshots that no process uses. Resolves with those that it removed; all others stay.
 * @param options.only restricts it: called for each snapshot that is not in use. @default all of them
 */
export async function pruneKeptGoldens(
  options: KeptGoldensOptions & { readonly only?: (golden: KeptGolden) => boolean } = {},
): Promise<readonly KeptGolden[]> {
  const removed: KeptGolden[] = [];
  for (const golden of await listKeptGoldens(options)) {
    options.signal?.throwIfAborted();
    if (golden.inUse || options.only?.(golden) === false) continue;
    if (await removeUnused(cacheIn(options), golden.name, systemClock)) removed.push(golden);
  }
  return removed;
}

function cacheIn({ stateDirectory }: KeptGoldensOptions): string {
  return new StateFolder(stateDirectory ?? defaultStateDirectory()).goldens;
}

async function digestIn(directory: string): Promise<string | null> {
  const text = await readFile(join(directory, MANIFEST_NAME), 'utf8').catch(() => '');
  return readManifest(text)?.digest ?? null;
}
