import type { ArchitectureName, GuestArchitecture } from '../architecture/guest-architecture.ts';

/**
 * Kernel command line of the tiny guest. No `mitigations=`, no `nokaslr`: tenants are not trusted.
 *
 * - `console=` and `quiet`: only errors, on the serial port if there is one
 * - `panic=-1 oops=panic`: a broken kernel reboots at once, which a machine run without reboot shows as its end
 * - `random.trust_cpu=on`: the first seed may come from the processor, so that boot does not wait for events
 * - `init_on_free=1`: freed memory is zeroed, so that a memory snapshot holds 65 MB instead of 105 MB, and a fork takes a third less
 * - `cryptomgr.notests rcupdate.rcu_expedited=1`, and on x86-64 `8250.nr_uarts=1`: together 0.3 s less of boot under emulation
 *
 * and on x86-64 alone:
 *
 * - `tsc=reliable`: no watchdog that takes a long freeze for a broken clock
 * - `no_timer_check`: an emulated timer that is late on a busy host is no reason to panic
 */
export function commandLineFor({ name, serialPort }: GuestArchitecture): string {
  return [`console=${serialPort}`, ...EVERYWHERE, ...OWN[name]].join(' ');
}

const EVERYWHERE: readonly string[] = [
  ...['quiet', 'panic=-1', 'oops=panic', 'random.trust_cpu=on', 'init_on_free=1'],
  ...['cryptomgr.notests', 'rcupdate.rcu_expedited=1'],
];
const OWN: Readonly<Record<ArchitectureName, readonly string[]>> = {
  x86_64: ['tsc=reliable', 'no_timer_check', '8250.nr_uarts=1'],
  aarch64: [],
};

/** Kernel modules the guest loads, in this order, after those that they depend on; what a kernel has built in is left out. */
export const MODULES: readonly string[] = ['virtio_pci', 'virtio_console', 'virtio_blk', 'virtio_rng', 'ext4'];

/** Those that it loads besides where it finds a network card. */
export const NETWORK_MODULES: readonly string[] = ['virtio_net'];
