import { chmod, chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WarmvmError } from '@warmvm/core/driver';
import type { ContainedUser } from './launch.ts';

/** What QEMU may do with a file. */
export type FileAccess = 'read' | 'write';

/**
 * Lets QEMU at a file or folder when it runs as another user: through the group, so that it owns nothing, and what it may only read
 * stays as it is. Without another user, the file is ours and private as it is.
 */
export async function shareFile(path: string, access: FileAccess, user: ContainedUser | undefined): Promise<void> {
  if (user === undefined) return;
  await chown(path, process.getuid?.() ?? 0, user.gid);
  await chmod(path, access === 'write' ? 0o660 : 0o440);
}

/** As {@link shareFile}, for a folder: `read` lets QEMU pass through it, and neither list nor write to it. */
export async function shareFolder(path: string, access: FileAccess, user: ContainedUser | undefined): Promise<void> {
  if (user === undefined) return;
  await chown(path, process.getuid?.() ?? 0, user.gid);
  await chmod(path, access === 'write' ? 0o770 : 0o710);
}

/**
 * Looks whether QEMU can get to a folder.
 * @throws WARMVM_HOST_OPERATION naming the folder above that is closed
 */
export async function requirePassable(path: string, user: ContainedUser | undefined): Promise<void> {
  if (user === undefined) return;
  for (let folder = path; folder !== '/'; folder = dirname(folder)) {
    if (await mayUse(folder, 0o1, user)) continue;
    throw new WarmvmError(
      'WARMVM_HOST_OPERATION',
      `QEMU runs as ${user.name}, who cannot pass through ${folder}: chmod o+x it, choose another folder, or set options.user to 'root'`,
      { details: { folder, user: user.name, path } },
    );
  }
}

/**
 * Looks whether QEMU can read a file of the user's.
 * @throws WARMVM_HOST_OPERATION naming it, or the folder above that is closed
 */
export async function requireReadable(path: string, user: ContainedUser | undefined): Promise<void> {
  if (user === undefined) return;
  await requirePassable(dirname(path), user);
  if (await mayUse(path, 0o4, user)) return;
  throw new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `QEMU runs as ${user.name}, who may not read ${path}: chmod o+r it, or set options.user to 'root'`,
    { details: { user: user.name, path } },
  );
}

async function mayUse(path: string, bit: number, user: ContainedUser): Promise<boolean> {
  const { mode, gid, uid } = await stat(path);
  const shift = uid === user.uid ? 6 : gid === user.gid || user.groups.includes(gid) ? 3 : 0;
  return (mode & (bit << shift)) !== 0;
}
