/**
 * warmvm driver for a libvirt daemon on this computer.
 *
 * @packageDocumentation
 */
export { createLibvirtDriver } from './driver.ts';
export type { GuardianProgram } from './guardian.ts';
export { guardianModule } from './guardian-process.ts';
export { type GuardianWay, runGuardian } from './guardian-program.ts';
export { type LibvirtDriverOptions, libvirtOptionRules } from './options.ts';
