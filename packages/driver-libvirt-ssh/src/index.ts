/**
 * warmvm driver for a libvirt daemon on another computer, over ssh.
 *
 * @packageDocumentation
 */
export { createSshDialer, type SshDialer } from './dialer.ts';
export { createLibvirtSshDriver } from './driver.ts';
export { runSshGuardian } from './guardian.ts';
export type {
  KeyboardRequest,
  LibvirtSshDriverOptions,
  PassphraseRequest,
  SecretRequest,
  SshAuthMethod,
  SshOptions,
  SshWay,
} from './options/options.ts';
export { libvirtSshOptionRules } from './options/rules.ts';
export type { SshProblem } from './problem.ts';
