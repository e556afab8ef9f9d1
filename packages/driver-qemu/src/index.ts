/**
 * warmvm driver for QEMU on this computer, without a daemon.
 *
 * @packageDocumentation
 */
export { createQemuDriver } from './driver.ts';
export type { QemuDriverOptions } from './options.ts';
