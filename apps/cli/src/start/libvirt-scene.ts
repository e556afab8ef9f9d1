import { access } from 'node:fs/promises';
import { createLibvirtDriver } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import {
  DisposeStack,
  ensureLibvirtDaemon,
  hypervisorFacts,
  openStorage,
  systemCommandRunner,
} from '@warmvm/local-host';
import { takeInventory } from '@warmvm/local-host/inventory';
import { describeProgress } from './describe-progress.ts';
import { killFromOutside } from './kill-from-outside.ts';
import { POOL_NAME } from './pool-names.ts';
import type { Scene, SceneOptions } from './scene.ts';

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
    const { path: storagePath } = stack.use(await openStorage('start'));
    const driver = stack.use(createLibvirtDriver({ uri, storagePool: STORAGE_POOL, storagePath }));
    const host = await driver.ping({ signal });
    const before = await takeInventory(uri, SCOPE, signal);
    return {
      driver,
      image,
      acceleration: host.acceleration,
      facts: hypervisorFacts(host, { subreaper: daemon.subreaper, storage: storagePath }),
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

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
