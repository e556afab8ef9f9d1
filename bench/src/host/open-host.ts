import { loadModule } from '@warmvm/local-host';
import type { BenchHost } from './bench-host.ts';
import { type HostRequest, openSubjectHost } from './subject-host.ts';

/** Drivers of this repository, by the name that `--driver` takes. Each is loaded when it is used: many processes need one alone. */
export const HOSTS: Readonly<Record<string, (request: HostRequest) => Promise<BenchHost>>> = {
  fake: async ({ clock }) => (await import('./fake-host.ts')).openFakeHost(clock),
  libvirt: async (request) => (await import('./libvirt-host.ts')).openLibvirtHost(request),
  'libvirt-ssh': async (request) => (await import('./libvirt-ssh-host.ts')).openLibvirtSshHost(request),
  qemu: async (request) => (await import('./qemu-host.ts')).openQemuHost(request),
};

/** Opens the host of a driver: one of ours by name, or that of a package or path. */
export async function openHost(driver: string, request: HostRequest): Promise<BenchHost> {
  if (Object.hasOwn(HOSTS, driver)) return HOSTS[driver]!(request);
  return openSubjectHost(driver, await loadModule(driver, request.folder), request);
}
