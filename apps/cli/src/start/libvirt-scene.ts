import { access, statfs } from 'node:fs/promises';
import { createLibvirtDriver } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import { systemCommandRunner } from '../host/command-runner.ts';
import { ensureLibvirtDaemon } from '../host/daemon.ts';
import { describeProgress } from './describe-progress.ts';
import { DisposeStack } from './dispose-stack.ts';
import { takeInventory } from './host-inventory.ts';
import { killFromOutside } from './kill-from-outside.ts';
import { POOL_NAME } from './pool-names.ts';
import type { Scene, SceneOptions } from './scene.ts';

/** Machines of 256 MiB write about 70 MB each; a pool of five with its golden snapshot fits many times. */
const TMPFS_ROOM_BYTES: number = 2 ** 31;
const TMPFS = '/dev/shm';
const STORAGE_POOL = 'warmvm';
/** Everything that the driver makes for the main job's pools is called so. */
const SCOPE = { prefix: `warmvm-${POOL_NAME}`, storagePool: STORAGE_POOL } as const;

/** Real machines on this computer's libvirt. The packages are there; the daemon is started when none runs. */
export async function libvirtScene({ signal, say }: SceneOptions): Promise<Scene> {
  const stack = new DisposeStack();
  try {
    say('building the golden image from Debian packages (kernel, busybox, guest agent)');
    const image = await buildTinyImage({
      signal,
      onProgress: (progress) => say(`golden image: ${describeProgress(progress)}`),
    });
    const daemon = stack.use(await ensureLibvirtDaemon({ runner: systemCommandRunner, signal, onProgress: say }));
    const uri = `qemu:///system?socket=${daemon.socketPath}`;
    const storagePath = await chooseStorage();
    const driver = stack.use(createLibvirtDriver({ uri, storagePool: STORAGE_POOL, storagePath }));
    const host = await driver.ping({ signal });
    const before = await takeInventory(uri, SCOPE, signal);
    return {
      driver,
      image,
      acceleration: host.acceleration,
      facts: {
        hypervisor: host.hypervisor,
        accelerationReason: host.accelerationReason,
        subreaper: daemon.subreaper,
        storage: storagePath,
      },
      killFromOutside,
      async leftBehind() {
        const after = await takeInventory(uri, SCOPE);
        const lines = [...after].filter((line) => !before.has(line));
        const folderLeft = !before.has(`storage pool ${STORAGE_POOL}`) && (await exists(storagePath));
        return folderLeft ? [...lines, `folder ${storagePath}`] : lines;
      },
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

/** Machines are short-lived: their disks go to memory where there is room, since flushing them to a disk buys nothing. */
export async function chooseStorage(): Promise<string> {
  const room = await statfs(TMPFS).then(
    ({ bavail, bsize, type }) => (type === 0x01021994 ? bavail * bsize : 0),
    () => 0,
  );
  return room >= TMPFS_ROOM_BYTES ? `${TMPFS}/warmvm` : '/var/lib/libvirt/images/warmvm';
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
