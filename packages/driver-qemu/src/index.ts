/**
 * warmvm driver for QEMU on this computer, without a daemon.
 *
 * @packageDocumentation
 */
export type { QemuDriverOptions } from './options.ts';
