import { qemuPackages } from '@warmvm/local-host';
import type { ComputerFacts, FolderFacts, HostState } from './facts.ts';
import type { Finding, Fix } from './finding.ts';

const OLDEST_NODE = [22, 12] as const;
const GIBIBYTE = 2 ** 30;
const LEAST_ROOM_BYTES: number = 2 * GIBIBYTE;
const LEAST_MEMORY_BYTES: number = GIBIBYTE;

/** What the facts come to, in the order in which to mend it. Decides from facts alone. */
export function findingsOf(facts: ComputerFacts): readonly Finding[] {
  return [
    platform(facts),
    node(facts),
    user(facts),
    ...configuration(facts),
    ...facts.hosts.map(host),
    qemu(facts),
    acceleration(facts),
    libvirt(facts),
    ...libvirtKvm(facts),
    ...subreaper(facts),
    ...(Object.keys(facts.containment).length > 0 ? contained(facts) : [cgroups(facts)]),
    memory(facts),
    ...facts.folders.map(folder),
    ssh(facts),
    ...Object.entries(facts.leftovers).map(([driver, count]) => leftovers(driver, count)),
  ];
}

function platform({ platform, architecture }: ComputerFacts): Finding {
  const text = `${platform} on ${architecture}`;
  if (platform === 'linux' && ['x64', 'arm64'].includes(architecture)) return { id: 'platform', level: 'ok', text };
  if (platform === 'linux')
    return {
      id: 'platform',
      level: 'warning',
      text: `${text}: the tiny image is for x86-64 and arm64`,
      fix: { text: 'describe an image of your own' },
    };
  const fix = { text: 'real machines need Linux; use --driver fake, or libvirt-ssh to a Linux host' };
  return { id: 'platform', level: 'problem', text: `${text}: no hypervisor that warmvm drives runs here`, fix };
}

function node({ nodeVersion }: ComputerFacts): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const isNew = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isNew) return { id: 'node', level: 'ok', text: `Node ${nodeVersion}` };
  const fix = { text: `install Node ${OLDEST_NODE.join('.')} or newer` };
  return { id: 'node', level: 'problem', text: `Node ${nodeVersion} is too old`, fix };
}

function user({ user: { name, isRoot, groups } }: ComputerFacts): Finding {
  return { id: 'user', level: 'ok', text: isRoot ? 'root' : `${name}, in groups ${groups.join(', ')}` };
}

/** Where it is well there is nothing to say: most have none. */
function configuration({ configurationMistake }: ComputerFacts): readonly Finding[] {
  if (configurationMistake === null) return [];
  const fix = {
    text: 'mend it; what may stand there is in https://github.com/warmvm/warmvm/blob/main/docs/configuration.md',
  };
  return [{ id: 'configuration', level: 'problem', text: configurationMistake, fix }];
}

/** A host that somebody chose and that does not answer keeps every command from working. */
function host({ name, isConfigured, problem, remedy }: HostState): Finding {
  const id = `host-${name}`;
  if (problem === null) return { id, level: 'ok', text: `host ${name} answers` };
  const text = `host ${name} cannot be used: ${problem}`;
  const fix = {
    text: remedy ?? 'check its address, its daemon and the login, then run this again; --debug shows more',
  };
  return { id, level: isConfigured ? 'problem' : 'warning', text, fix };
}

function qemu(facts: ComputerFacts): Finding {
  if (facts.qemu !== null) return { id: 'qemu', level: 'ok', text: facts.qemu };
  const fix = install(facts, ...qemuPackages(facts.architecture), 'qemu-utils');
  return { id: 'qemu', level: 'problem', text: 'QEMU is not installed', fix };
}

const OPEN_DEVICE: Fix = { text: 'open it, as udev would: chgrp kvm /dev/kvm; chmod 660 /dev/kvm' };

function acceleration({ kvm, architecture, user }: ComputerFacts): Finding {
  const slow = 'guests are emulated (TCG), which is slow';
  const needsFlag = architecture === 'x64';
  if (kvm.device === 'opens' && user.isRoot && (!kvm.groupMayUse || kvm.group === 'root')) {
    const text = `/dev/kvm opens for root, but not for the users that QEMU runs as: ${slow}`;
    return { id: 'acceleration', level: 'warning', text, fix: OPEN_DEVICE };
  }
  if (kvm.device === 'opens' && (kvm.cpuFlag !== null || !needsFlag))
    return { id: 'acceleration', level: 'ok', text: 'KVM: /dev/kvm opens and the CPU can' };
  if (kvm.device === 'opens' || (kvm.device === 'absent' && kvm.cpuFlag === null && needsFlag)) {
    const text = `no KVM, the CPU shows neither vmx nor svm: ${slow}`;
    return {
      id: 'acceleration',
      level: 'warning',
      text,
      fix: { text: 'switch virtualisation on in the firmware, or nested virtualisation for this machine' },
    };
  }
  if (kvm.device === 'absent') {
    const fix = loadModule(kvm.cpuFlag);
    return { id: 'acceleration', level: 'warning', text: `there is no /dev/kvm: ${slow}`, fix };
  }
  const group = kvm.group ?? 'kvm';
  const fix: Fix = {
    text: `join group ${group}, then log in anew: usermod -aG ${group} ${user.name}`,
    command: ['usermod', '-aG', group, user.name],
    needsRoot: true,
  };
  return { id: 'acceleration', level: 'warning', text: `/dev/kvm may not be opened by ${user.name}: ${slow}`, fix };
}

function loadModule(cpuFlag: ComputerFacts['kvm']['cpuFlag']): Fix {
  // On arm64 KVM is no module: a kernel has it or not.
  if (cpuFlag === null) return { text: 'boot a kernel with KVM' };
  const command = ['modprobe', cpuFlag === 'vmx' ? 'kvm_intel' : 'kvm_amd'] as const;
  return { text: `load the module: ${command.join(' ')}`, command, needsRoot: true };
}

function libvirt(facts: ComputerFacts): Finding {
  const { isInstalled, socket } = facts.libvirt;
  if (socket === 'answers') return { id: 'libvirt', level: 'ok', text: 'a libvirt daemon answers this user' };
  const rest = facts.qemu === null ? '' : '; driver qemu does without';
  if (!isInstalled) {
    const fix = install(facts, 'libvirt-daemon-system', 'libvirt-daemon-driver-qemu', 'tini');
    return { id: 'libvirt', level: 'warning', text: `libvirt is not installed${rest}`, fix };
  }
  if (socket === 'denied') {
    const { name } = facts.user;
    const fix: Fix = {
      text: `join group libvirt, then log in anew: usermod -aG libvirt ${name}`,
      command: ['usermod', '-aG', 'libvirt', name],
      needsRoot: true,
    };
    return { id: 'libvirt', level: 'warning', text: `the libvirt daemon refuses ${name}${rest}`, fix };
  }
  const text = `libvirt is installed, and no daemon answers${rest}`;
  return { id: 'libvirt', level: 'warning', text, fix: startLibvirt(facts) };
}

function startLibvirt({ hasSystemd }: ComputerFacts): Fix {
  // Without a service manager a daemon is somebody's child, and whose is for a person to say.
  if (!hasSystemd) return { text: 'start it: virtlogd -d; tini -s -- libvirtd' };
  const command = ['systemctl', 'start', 'libvirtd'] as const;
  return { text: `start it: ${command.join(' ')}`, command, needsRoot: true };
}

/**
 * A libvirt that sees a device which its QEMU, of group kvm, cannot open holds all that it knows of the emulators for stale, and probes them
 * anew at each definition: seconds instead of milliseconds. udev opens the device; in many a container there is none.
 */
function libvirtKvm({ libvirt, kvm }: ComputerFacts): readonly Finding[] {
  if (!libvirt.isInstalled || kvm.device === 'absent' || (kvm.group === 'kvm' && kvm.groupMayUse)) return [];
  const text = '/dev/kvm is closed to group kvm: libvirt takes seconds for each machine that it defines';
  return [{ id: 'libvirt-kvm', level: 'warning', text, fix: OPEN_DEVICE }];
}

/** The daemon waits until an ended guest has been reaped; a slow parent adds seconds to each destroy and reset. */
function subreaper({ libvirt: { parent, hasTini } }: ComputerFacts): readonly Finding[] {
  if (parent === null) return [];
  const isQuick = parent === 'systemd' || parent === 'tini' || parent === 'init';
  if (isQuick) return [{ id: 'subreaper', level: 'ok', text: `libvirt's ended guests are reaped by ${parent}` }];
  const fix = { text: `run the daemon below a subreaper: tini -s -- libvirtd${hasTini ? '' : ' (package tini)'}` };
  const text = `libvirt's ended guests are reaped by ${parent}, which may take seconds`;
  return [{ id: 'subreaper', level: 'warning', text, fix }];
}

function cgroups({ cgroupDelegated }: ComputerFacts): Finding {
  if (cgroupDelegated === true) return { id: 'cgroups', level: 'ok', text: 'cgroup v2, delegated to this process' };
  const none = cgroupDelegated === null;
  const text = none ? 'there is no cgroup v2 that has controllers' : 'cgroup v2, not delegated to this process';
  const fix = none
    ? 'boot with systemd.unified_cgroup_hierarchy=1'
    : 'run in a delegated scope: systemd-run --user --scope -p Delegate=yes warmvm ...';
  return { id: 'cgroups', level: 'warning', text: `${text}: machines have no limits of their own`, fix: { text: fix } };
}

/** What a driver has found out by trying says more than what is seen from here. */
function contained({ containment }: ComputerFacts): readonly Finding[] {
  return Object.entries(containment).flatMap(([driver, safeguards]) =>
    safeguards.map(({ name, active, detail, remedy }): Finding => {
      const id = `containment-${driver}-${name.replaceAll(/\W+/g, '-')}`;
      const text = `${driver}, ${name}: ${detail}`;
      if (active || remedy === undefined) return { id, level: 'ok', text };
      return { id, level: 'warning', text, fix: { text: remedy } };
    }),
  );
}

function memory({ memoryAvailableBytes }: ComputerFacts): Finding {
  const text = `${gibibytes(memoryAvailableBytes)} of memory available`;
  if (memoryAvailableBytes >= LEAST_MEMORY_BYTES) return { id: 'memory', level: 'ok', text };
  return {
    id: 'memory',
    level: 'warning',
    text,
    fix: { text: 'free memory, or lower pool.max and image.memoryBytes' },
  };
}

function folder({ what, path, mode, freeBytes }: FolderFacts): Finding {
  const id = `folder-${what}`;
  const text = `${what}: ${path}, ${gibibytes(freeBytes)} free`;
  if (mode !== null && (mode & 0o022) !== 0) {
    const fix: Fix = { text: `chmod go-w ${path}`, command: ['chmod', 'go-w', path] };
    return { id, level: 'problem', text: `${text}, but others may write there (${mode.toString(8)})`, fix };
  }
  if (freeBytes >= LEAST_ROOM_BYTES) return { id, level: 'ok', text };
  return { id, level: 'warning', text: `${text}: little room`, fix: { text: 'make room, or name another folder' } };
}

function ssh({ ssh: { hasConfig, agent } }: ComputerFacts): Finding {
  const text = `ssh: ${hasConfig ? 'a configuration' : 'no configuration'}, ${agent === 'answers' ? 'an agent' : 'no agent'}`;
  if (agent !== 'silent') return { id: 'ssh', level: 'ok', text };
  const fix = { text: 'start the agent anew, or unset SSH_AUTH_SOCK' };
  return { id: 'ssh', level: 'warning', text: 'ssh: SSH_AUTH_SOCK is set and no agent answers there', fix };
}

function leftovers(driver: string, count: number): Finding {
  const id = `leftovers-${driver}`;
  if (count === 0) return { id, level: 'ok', text: `${driver}: dead owners left nothing behind` };
  const fix = { text: 'warmvm sweep; with --dry-run it shows what it would remove' };
  return {
    id,
    level: 'warning',
    text: `${driver}: dead owners left ${count} object${count === 1 ? '' : 's'} behind`,
    fix,
  };
}

function install({ isDebianLike }: ComputerFacts, ...packages: readonly string[]): Fix {
  if (!isDebianLike) return { text: `install it; Debian's packages are ${packages.join(', ')}` };
  const command = ['apt-get', 'install', '--no-install-recommends', ...packages] as const;
  return { text: command.join(' '), command, packages, needsRoot: true };
}

function gibibytes(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
}
