import { lstat, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, type Clock, isWarmvmError } from '@warmvm/core/driver';
import { lockFolder } from './folder-lock.ts';
import { livingIn, presenceIn } from './presence.ts';

/** How much of the disk templates may take while nobody uses them. */
export interface CacheLimits {
  /** For all of them together, in bytes of the disk. */
  readonly maxBytes: number;
  /** Since the last use. */
  readonly maxIdleMs: number;
}

/** One template in the cache. */
export interface CachedTemplate {
  readonly name: string;
  /** What it takes of the disk. */
  readonly bytes: number;
  readonly lastUsedMs: number;
  /** A process that lives, or that cannot be judged, holds it. */
  readonly used: boolean;
}

const USERS = '.users';
const LOCKS = '.locks';

/** Name of a template: the key of its machine. */
const NAME = /^[0-9a-f]{64}(?:-\d+)?$/;

/**
 * Holds a template in the cache until disposed, or until this process is gone: nobody collects it meanwhile. Call it under
 * {@link lockTemplate}, else it may be collected between the look and the use.
 */
export async function useTemplate(cache: string, name: string, clock: Clock): Promise<AsyncDisposable> {
  const presence = presenceIn(join(cache, USERS, name));
  await presence.announce();
  const now = clock.wallTimeMs() / 1000;
  // The folder's time of change is its last use; it may not be there yet.
  await utimes(join(cache, name), now, now).catch(() => {});
  return presence;
}

/** Lets one process at a time make or remove a template. */
export function lockTemplate(
  cache: string,
  name: string,
  options: CallOptions & { readonly clock: Clock; readonly timeoutMs?: number },
): Promise<AsyncDisposable> {
  return lockFolder(join(cache, LOCKS, name), options);
}

/**
 * Removes templates that nobody uses: those idle for too long, and then the longest idle ones until the rest fits. One that is being
 * made, or used by any process that lives, stays. Resolves with the names of what was removed.
 */
export async function collectTemplates(
  cache: string,
  limits: CacheLimits,
  options: CallOptions & { readonly clock: Clock },
): Promise<readonly string[]> {
  const { clock, signal } = options;
  const entries = await cachedTemplates(cache);
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const removed: string[] = [];
  const idle = entries.filter(({ used }) => !used).sort((one, other) => one.lastUsedMs - other.lastUsedMs);
  for (const { name, bytes, lastUsedMs } of idle) {
    signal?.throwIfAborted();
    const old = clock.wallTimeMs() - lastUsedMs > limits.maxIdleMs;
    if (!old && total <= limits.maxBytes) continue;
    if (!(await removeUnused(cache, name, clock))) continue;
    total -= bytes;
    removed.push(name);
  }
  return removed;
}

/** Removes a template under its lock. False when a process makes or uses it. */
export async function removeUnused(cache: string, name: string, clock: Clock): Promise<boolean> {
  let lock: AsyncDisposable;
  try {
    lock = await lockTemplate(cache, name, { clock, timeoutMs: 0 });
  } catch (error) {
    if (isWarmvmError(error, 'WARMVM_HOST_OPERATION')) return false;
    throw error;
  }
  try {
    if ((await livingIn(join(cache, USERS, name))).length > 0) return false;
    await rm(join(cache, name), { recursive: true, force: true });
    await rm(join(cache, USERS, name), { recursive: true, force: true });
    return true;
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

/** Every template that is kept for the next process. A cache that does not exist has none. */
export async function cachedTemplates(cache: string): Promise<readonly CachedTemplate[]> {
  const names = await readdir(cache).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const entries: CachedTemplate[] = [];
  for (const name of names.filter((other) => NAME.test(other))) {
    const folder = await lstat(join(cache, name)).catch(() => undefined);
    if (folder === undefined) continue;
    const used = (await livingIn(join(cache, USERS, name))).length > 0;
    entries.push({ name, used, lastUsedMs: folder.mtimeMs, bytes: await bytesIn(join(cache, name)) });
  }
  return entries;
}

/** What the files take of the disk: memory and disks are sparse. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const file = await lstat(join(folder, name)).catch(() => undefined);
    bytes += (file?.blocks ?? 0) * 512;
  }
  return bytes;
}
