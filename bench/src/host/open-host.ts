import { loadModule, SUBJECTS } from 'warmvm/measure';
import type { BenchHost } from './bench-host.ts';
import { openFakeHost } from './fake-host.ts';
import { openLibvirtHost } from './libvirt-host.ts';
import { openQemuHost } from './qemu-host.ts';
import { type HostRequest, openSubjectHost } from './subject-host.ts';

/** Drivers of this repository, by the name that `--driver` takes. */
export const HOSTS: Readonly<Record<string, (request: HostRequest) => Promise<BenchHost>>> = {
  fake: async ({ clock }) => openFakeHost(clock),
  libvirt: openLibvirtHost,
  'libvirt-ssh': async (request) => openSubjectHost('libvirt-ssh', await SUBJECTS['libvirt-ssh']!(), request),
  qemu: openQemuHost,
};

/** Opens the host of a driver: one of ours by name, or that of a package or path. */
export async function openHost(driver: string, request: HostRequest): Promise<BenchHost> {
  if (Object.hasOwn(HOSTS, driver)) return HOSTS[driver]!(request);
  return openSubjectHost(driver, await loadModule(driver, request.folder), request);
}
