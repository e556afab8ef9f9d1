import { systemClock, WarmvmError } from '@warmvm/core';
import { createLibvirtSshDriver, createSshDialer } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { type Client, openClient } from '@warmvm/libvirt';
import { DisposeStack, hypervisorFacts } from '@warmvm/local-host';
import { objectsOf } from '@warmvm/local-host/inventory';
import { POOL_NAME } from './pool-names.ts';
import type { Scene, SceneOptions } from './scene.ts';

const STORAGE_POOL = 'warmvm';
/** Where the driver keeps its machines when nothing else is said; whether memory has room there is not known from here. */
const STORAGE_PATH = '/var/lib/libvirt/images/warmvm';
const SCOPE = { prefix: `warmvm-${POOL_NAME}`, storagePool: STORAGE_POOL } as const;

/**
 * Real machines on another computer's libvirt. Nothing is installed there, and the image is built here. What is counted and killed goes over
 * an ssh connection of its own, so that the driver is not asked about itself.
 */
export async function libvirtSshScene(uri: string, { signal, say }: SceneOptions): Promise<Scene> {
  const stack = new DisposeStack();
  try {
    const driver = stack.use(createLibvirtSshDriver({ uri, storagePool: STORAGE_POOL, storagePath: STORAGE_PATH }));
    say(`connecting to ${placeOf(uri)}`);
    const host = await driver.ping({ signal });
    const dialer = stack.use(createSshDialer({ uri }));
    const observer = await openClient({ uri: dialer.uri, dial: dialer.dial, signal });
    stack.use({ [Symbol.asyncDispose]: () => observer.close() });
    say('building the golden image from Debian packages (kernel, busybox, guest agent)');
    const image = await buildTinyImage({ signal });
    const before = await objectsOf(observer, SCOPE);
    return {
      driver,
      image,
      acceleration: host.acceleration,
      facts: hypervisorFacts(host, {
        hypervisor: `${host.hypervisor} on ${host.host}, over ssh (${dialer.way})`,
        subreaper: 'unknown: a far host',
        storage: STORAGE_PATH,
      }),
      killFromOutside: (machine) => killFromOutside(observer, machine),
      leftBehind: async () => (await objectsOf(observer, SCOPE)).filter((line) => !before.includes(line)),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

/** QEMU is told over its monitor to end at once, by a connection that the driver knows nothing of. */
async function killFromOutside(observer: Client, machine: string): Promise<number> {
  const { dom } = await observer.call('domainLookupByName', { name: machine }).catch((cause: unknown) => {
    throw new WarmvmError('WARMVM_MACHINE_GONE', `the host has no ${machine}`, { cause, details: { machine } });
  });
  const at = systemClock.now();
  // It ends before it can answer, so the call fails however well it went.
  await observer.call('domainMonitorCommand', { dom, cmd: 'quit', flags: 1 }).catch(() => {});
  return at;
}

/** The URI without the user and how the host is reached. */
function placeOf(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/, '');
}
