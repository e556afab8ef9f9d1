import type { Driver } from '@warmvm/core';
import { createLibvirtSshDriver } from '@warmvm/driver-libvirt-ssh';
import { DisposeStack, startPrivateSshd } from '@warmvm/local-host';
import { type BenchHost, USUAL_MEMORY_BYTES } from './bench-host.ts';
import { libvirtOptions, openLibvirtHost } from './libvirt-host.ts';
import type { HostRequest } from './subject-host.ts';

/** In the names of figures, so that a ratio says what it is of. */
const LOCAL = 'in-place over the local socket';

/**
 * This computer's libvirt over an sshd on loopback, with the driver for its local socket beside: what ssh itself costs, without a network.
 * @throws WARMVM_HOST_UNREACHABLE
 */
export async function openLibvirtSshHost(request: HostRequest): Promise<BenchHost> {
  const { clock, say } = request;
  const stack = new DisposeStack();
  try {
    const { libvirtSocket, canStartSshd: _, ...local } = stack.use(await openLibvirtHost(request));
    say('starting an sshd on loopback');
    const sshd = stack.use(await startPrivateSshd());
    const over = { ...sshd.options, socketPath: libvirtSocket!, way: 'streamlocal' as const };
    return {
      ...local,
      driverName: 'libvirt-ssh',
      ways: [...local.ways, LOCAL],
      localWay: LOCAL,
      memorySizes: [USUAL_MEMORY_BYTES],
      driver: async (way): Promise<Driver> =>
        way === LOCAL
          ? local.driver()
          : createLibvirtSshDriver({ ...over, ...libvirtOptions(local.facts.storage, clock, way) }),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}
