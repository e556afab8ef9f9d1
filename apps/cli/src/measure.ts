/** What the main job and the benchmarks of this repository share. Not part of the published package. */
export { type Command, type CommandRunner, systemCommandRunner } from './host/command-runner.ts';
export { ensureLibvirtDaemon, type LibvirtDaemon } from './host/daemon.ts';
export { canStartSshd, startPrivateSshd } from './host/private-sshd.ts';
export { runInterruptibly } from './interruptible.ts';
export { SUBJECTS } from './kit/subjects/index.ts';
export { loadModule } from './load-module.ts';
export { chooseScene } from './start/choose-scene.ts';
export { DisposeStack } from './start/dispose-stack.ts';
export { describeEnvironment, type Environment, type HypervisorFacts } from './start/environment.ts';
export { inventoryOf, qemuProcesses } from './start/host-inventory.ts';
export { chooseStorage } from './start/libvirt-scene.ts';
export { duration } from './start/report.ts';
export { percentile } from './start/samples.ts';
export { requireWritable } from './writable.ts';
