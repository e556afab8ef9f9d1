import type { Clock } from '@warmvm/core';
import type { BenchHost } from './bench-host.ts';
import { openFakeHost } from './fake-host.ts';
import { openLibvirtHost } from './libvirt-host.ts';
import { openModuleHost } from './module-host.ts';

/** What every way of opening a host is given. */
export interface HostRequest {
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Drivers of this repository, by the name that `--driver` takes. */
export const HOSTS: Readonly<Record<string, (request: HostRequest) => Promise<BenchHost>>> = {
  fake: async ({ clock }) => openFakeHost(clock),
  libvirt: ({ signal, say, clock }) => openLibvirtHost(signal, say, clock),
};

/** Opens the host of a driver: one of ours by name, or that of a package or path. */
export function openHost(driver: string, request: HostRequest): Promise<BenchHost> {
  return Object.hasOwn(HOSTS, driver) ? HOSTS[driver]!(request) : openModuleHost({ ...request, specifier: driver });
}
