import { lstat, mkdir, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Machines of 256 MiB write about 70 MB each; a pool of five with its golden snapshot fits many times. */
const TMPFS_ROOM_BYTES: number = 2 ** 31;
const TMPFS_TYPE = 0x01021994;
/** Where libvirt itself keeps disks: nobody but root can make anything there. */
const IMAGES = '/var/lib/libvirt/images';

/** A folder for the disks of short-lived machines. Dispose removes what {@link openStorage} made for it, once it is empty. */
export interface Storage extends AsyncDisposable {
  /** For a storage pool of libvirt, which makes it and removes it. */
  readonly path: string;
}

/**
 * Machines are short-lived: their disks go to memory where there is room, since flushing them to a disk buys nothing. Anybody may make folders in
 * memory, and libvirtd writes as root: the pool's folder lies in one that this user owns and nobody else may write, or among libvirt's own images.
 */
export async function openStorage(name: string, memory = '/dev/shm'): Promise<Storage> {
  const parent = join(memory, 'warmvm');
  if (!(await hasRoom(memory)) || !(await makeOwn(parent))) {
    return { path: join(IMAGES, `warmvm-${name}`), async [Symbol.asyncDispose]() {} };
  }
  return {
    path: join(parent, name),
    async [Symbol.asyncDispose]() {
      // Not empty: somebody else of this user keeps disks there too.
      await rmdir(parent).catch(() => {});
    },
  };
}

async function hasRoom(folder: string): Promise<boolean> {
  return statfs(folder).then(
    ({ bavail, bsize, type }) => type === TMPFS_TYPE && bavail * bsize >= TMPFS_ROOM_BYTES,
    () => false,
  );
}

/** Makes the folder, or looks who has. */
async function makeOwn(folder: string): Promise<boolean> {
  // QEMU runs as another user than the one that makes it, and has to pass.
  await mkdir(folder, { mode: 0o711 }).catch(() => {});
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}
