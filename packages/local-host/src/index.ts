/**
 * This computer as a host of virtual machines: made ready, described, and opened for the conformance kit.
 *
 * @packageDocumentation
 */
export {
  type BackgroundProcess,
  type Command,
  type CommandResult,
  type CommandRunner,
  lastLines,
  type RunOptions,
  systemCommandRunner,
} from './command-runner.ts';
export { candidateSockets, ensureLibvirtDaemon, type LibvirtDaemon } from './daemon.ts';
export { DisposeStack } from './dispose-stack.ts';
export { describeEnvironment, type Environment, type HypervisorFacts, hypervisorFacts } from './environment.ts';
export { type HostFacts, type Hypervisor, obstacleTo, requireHypervisor } from './hypervisor.ts';
export { groupMayReadAndWrite } from './kvm-access.ts';
export { loadModule } from './load-module.ts';
export {
  ensurePackages,
  hypervisorPackages,
  isDebianLike,
  type PackagePlan,
  qemuPackages,
  qemuProgramOf,
} from './packages.ts';
export { canStartSshd, generateKey, type PrivateSshd, type SshdPlace, startPrivateSshd } from './private-sshd.ts';
export { type QemuProcess, qemuProcesses } from './qemu-processes.ts';
export { answers } from './socket.ts';
export { openStorage, type Storage } from './storage.ts';
export { SUBJECTS } from './subjects/index.ts';
export { requireWritable } from './writable.ts';
