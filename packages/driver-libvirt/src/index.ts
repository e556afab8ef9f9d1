/**
 * warmvm driver for a libvirt daemon on this computer.
 *
 * @packageDocumentation
 */
export { createLibvirtDriver } from './driver.ts';
export type { LibvirtDriverOptions } from './options.ts';
