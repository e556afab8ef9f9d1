/**
 * warmvm driver for QEMU on this computer, without a daemon.
 *
 * @packageDocumentation
 */
export { createQemuDriver } from './driver.ts';
export { type KeptGolden, type KeptGoldensOptions, listKeptGoldens, pruneKeptGoldens } from './kept-goldens.ts';
export type { QemuForward, QemuNetwork, QemuTapNetwork, QemuUserNetwork } from './network/network-option.ts';
export { type QemuDriverOptions, qemuOptionRules } from './options.ts';
