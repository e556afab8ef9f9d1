import type { Driver, GoldenImage } from '@warmvm/core';

/** What makes a driver from its options. */
export interface DriverMaker {
  create(options: Readonly<Record<string, unknown>>): Driver;
  /** For drivers whose machines are made from nothing real: the only image that makes sense. */
  readonly image?: () => GoldenImage;
  /** For people: a command that reaches a machine from elsewhere while it lives. */
  readonly reach?: (machineId: string, options: Readonly<Record<string, unknown>>) => string;
}

/** A driver that comes with the program. */
export interface BuiltInDriver {
  readonly summary: string;
  load(): Promise<DriverMaker>;
}

/** The drivers that come with the program, by the name that people write. Loaded when they are used. */
export const BUILT_IN_DRIVERS: Readonly<Record<string, BuiltInDriver>> = {
  fake: {
    summary: 'a hypervisor in memory: no real machines',
    async load() {
      const { createFakeDriver, fakeImage } = await import('@warmvm/driver-fake');
      return { create: (options) => createFakeDriver(options), image: () => fakeImage() };
    },
  },
  qemu: {
    summary: 'QEMU on this computer, without a daemon and without root',
    async load() {
      const { createQemuDriver } = await import('@warmvm/driver-qemu');
      return { create: (options) => createQemuDriver(options) };
    },
  },
  libvirt: {
    summary: 'a libvirt daemon on this computer',
    async load() {
      const { createLibvirtDriver } = await import('@warmvm/driver-libvirt');
      return { create: (options) => createLibvirtDriver(options), reach: virsh };
    },
  },
  'libvirt-ssh': {
    summary: 'a libvirt daemon on another computer, over ssh',
    async load() {
      const { createLibvirtSshDriver } = await import('@warmvm/driver-libvirt-ssh');
      return { create: (options) => createLibvirtSshDriver(options), reach: virsh };
    },
  },
};

function virsh(machineId: string, { uri = 'qemu:///system' }: Readonly<Record<string, unknown>>): string {
  return `virsh --connect '${String(uri)}' console ${machineId}`;
}
