import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WarmvmError } from '@warmvm/core/driver';

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** The kernel shows it where a user namespace does not know the owner. */
const UNKNOWN_USER = 65_534;

/** Makes a folder for one QEMU to run in: QEMU may pass through and neither list nor write it. The folder above keeps out all others. */
export async function makeQemuFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o711 });
  // What a mask took away.
  await chmod(path, 0o711);
}

/**
 * Makes a folder that only this user may use, or checks the one that exists and closes it to others.
 * @throws WARMVM_HOST_OPERATION when it belongs to another user, or is not a folder
 */
export async function ensurePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    const isLink = error.code === 'ELOOP' || error.code === 'ENOTDIR';
    throw isLink
      ? untrusted(path, 'it is a link, or not a folder', 'name the folder itself with options.stateDirectory', error)
      : error;
  });
  try {
    const { uid, mode } = await handle.stat();
    const own = process.getuid?.() ?? uid;
    if (uid !== own) {
      const remedy = `run as user id ${uid}, or choose another folder with options.stateDirectory`;
      throw untrusted(path, `it belongs to user id ${uid}, not to ${own}`, remedy);
    }
    if ((mode & 0o7777) !== 0o700) await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
}

/**
 * Checks that no other user can put another folder in the place of this one.
 * @throws WARMVM_HOST_OPERATION naming the folder above that others may change
 */
export async function requireTrustedParents(path: string): Promise<void> {
  const own = process.getuid?.() ?? 0;
  const trusted = [0, own, ...((await isInUserNamespace()) ? [UNKNOWN_USER] : [])];
  for (let folder = await realpath(dirname(path)); ; folder = dirname(folder)) {
    const { uid, gid, mode } = await lstat(folder);
    const remedy = `choose another folder with options.stateDirectory, or close this one: chmod go-w ${folder}`;
    if (!trusted.includes(uid))
      throw untrusted(folder, `it belongs to user id ${uid}, who can replace ${path}`, remedy);
    // A group of this user's own is as private as the user.
    const others = gid === process.getgid?.() ? mode & 0o002 : mode & WRITABLE_BY_OTHERS;
    if (others !== 0 && (mode & STICKY) === 0)
      throw untrusted(folder, `others may write to it and replace ${path}`, remedy);
    if (folder === dirname(folder)) return;
  }
}

async function isInUserNamespace(): Promise<boolean> {
  const map = await readFile('/proc/self/uid_map', 'utf8').catch(() => undefined);
  return map !== undefined && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}

function untrusted(folder: string, reason: string, remedy: string, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `the folder ${folder} is not safe to use: ${reason}; ${remedy}`, {
    details: { folder, reason, remedy },
    ...(cause === undefined ? {} : { cause }),
  });
}
