import { describe, expect, test } from 'vitest';
import type { ComputerFacts } from './facts.ts';
import { findingsOf } from './findings.ts';

const HEALTHY: ComputerFacts = {
  platform: 'linux',
  architecture: 'x64',
  nodeVersion: '24.1.0',
  user: { name: 'ada', isRoot: false, groups: ['ada', 'kvm'] },
  isDebianLike: true,
  hasSystemd: false,
  kvm: { device: 'opens', group: 'kvm', groupMayUse: true, cpuFlag: 'vmx' },
  qemu: 'QEMU emulator version 7.2.22',
  libvirt: { isInstalled: true, socket: 'answers', parent: 'systemd', hasTini: true },
  cgroupDelegated: true,
  folders: [{ what: 'images', path: '/images', mode: 0o700, freeBytes: 2 ** 36 }],
  memoryAvailableBytes: 2 ** 33,
  ssh: { hasConfig: true, agent: 'answers' },
  configurationMistake: null,
  leftovers: { qemu: 0 },
  hosts: [],
  containment: {},
};

const KVM_DENIED = { device: 'denied', group: 'kvm', groupMayUse: true, cpuFlag: 'vmx' } as const;
const NO_DAEMON = { isInstalled: true, socket: 'silent', parent: null, hasTini: true } as const;
const FOLDER = { what: 'images', path: '/images', mode: 0o700, freeBytes: 2 ** 36 };

function found(change: Partial<ComputerFacts>, id: string) {
  return findingsOf({ ...HEALTHY, ...change }).find((finding) => finding.id === id);
}

describe('findings', () => {
  test('name a host that somebody chose and that does not answer, as a problem with its own remedy', () => {
    const far = { name: 'libvirt-ssh (qemu+ssh://ci@far/system)', problem: 'WARMVM_HOST_DENIED: login refused' };
    const hosts = [{ ...far, isConfigured: true, remedy: 'add your key there' }];
    expect(found({ hosts }, `host-${far.name}`)).toEqual({
      id: `host-${far.name}`,
      level: 'problem',
      text: `host ${far.name} cannot be used: ${far.problem}`,
      fix: { text: 'add your key there' },
    });
    expect(found({ hosts: [{ ...far, isConfigured: false, remedy: null }] }, `host-${far.name}`)?.level).toBe(
      'warning',
    );
  });

  test('of a healthy computer are all well, and there is nothing to mend', () => {
    const findings = findingsOf(HEALTHY);
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(findings.every(({ fix }) => fix === undefined)).toBe(true);
  });

  test.each<[string, string, Partial<ComputerFacts>, RegExp]>([
    ['platform', 'problem', { platform: 'darwin' }, /need Linux/],
    ['platform', 'warning', { architecture: 'riscv64' }, /image of your own/],
    ['node', 'problem', { nodeVersion: '22.11.0' }, /22\.12/],
    ['node', 'problem', { nodeVersion: '20.20.2' }, /22\.12/],
    ['configuration', 'problem', { configurationMistake: 'pool.maxx is unknown' }, /mend it/],
    ['qemu', 'problem', { qemu: null }, /apt-get install .*qemu-system-x86/],
    ['qemu', 'problem', { qemu: null, isDebianLike: false }, /Debian's packages/],
    ['acceleration', 'warning', { kvm: { ...KVM_DENIED } }, /usermod -aG kvm ada/],
    ['acceleration', 'warning', { kvm: { ...KVM_DENIED, device: 'absent' } }, /modprobe kvm_intel/],
    [
      'acceleration',
      'warning',
      { kvm: { device: 'absent', group: null, groupMayUse: false, cpuFlag: 'svm' } },
      /modprobe kvm_amd/,
    ],
    [
      'acceleration',
      'warning',
      { architecture: 'arm64', kvm: { device: 'absent', group: null, groupMayUse: false, cpuFlag: null } },
      /kernel with KVM/,
    ],
    ['acceleration', 'warning', { kvm: { ...KVM_DENIED, device: 'opens', cpuFlag: null } }, /firmware/],
    [
      'acceleration',
      'warning',
      { kvm: { device: 'absent', group: null, groupMayUse: false, cpuFlag: null } },
      /firmware/,
    ],
    [
      'acceleration',
      'warning',
      { user: { name: 'root', isRoot: true, groups: [] }, kvm: { ...HEALTHY.kvm, group: 'root' } },
      /chgrp kvm/,
    ],
    [
      'acceleration',
      'warning',
      { user: { name: 'root', isRoot: true, groups: [] }, kvm: { ...HEALTHY.kvm, groupMayUse: false } },
      /chmod 660/,
    ],
    ['libvirt', 'warning', { libvirt: { ...NO_DAEMON, isInstalled: false, socket: 'absent' } }, /apt-get install/],
    ['libvirt', 'warning', { libvirt: { ...NO_DAEMON, socket: 'denied' } }, /usermod -aG libvirt ada/],
    ['libvirt', 'warning', { libvirt: NO_DAEMON }, /start it: .*tini -s -- libvirtd/],
    ['libvirt', 'warning', { libvirt: NO_DAEMON, hasSystemd: true }, /start it: systemctl start libvirtd/],
    ['libvirt-kvm', 'warning', { kvm: { ...HEALTHY.kvm, groupMayUse: false } }, /chmod 660/],
    ['libvirt-kvm', 'warning', { kvm: { ...HEALTHY.kvm, group: 'root' } }, /chgrp kvm/],
    ['subreaper', 'warning', { libvirt: { ...HEALTHY.libvirt, parent: 'sh' } }, /tini -s -- libvirtd/],
    ['cgroups', 'warning', { cgroupDelegated: false }, /Delegate=yes/],
    ['cgroups', 'warning', { cgroupDelegated: null }, /unified_cgroup_hierarchy/],
    ['memory', 'warning', { memoryAvailableBytes: 2 ** 29 }, /pool\.max/],
    ['folder-images', 'problem', { folders: [{ ...FOLDER, mode: 0o777 }] }, /chmod go-w \/images/],
    ['folder-images', 'warning', { folders: [{ ...FOLDER, freeBytes: 2 ** 20 }] }, /room/],
    ['ssh', 'warning', { ssh: { hasConfig: false, agent: 'silent' } }, /SSH_AUTH_SOCK/],
    [
      'leftovers-qemu',
      'warning',
      { leftovers: { qemu: 2 } },
      /warmvm sweep; with --dry-run it shows what it would remove/,
    ],
  ])('%s is a %s with its fix where %j', (id, level, change, fix) => {
    const finding = found(change, id);
    expect(finding?.level).toBe(level);
    expect(finding?.fix?.text).toMatch(fix);
  });

  test.each([
    ['the folder that has not been made yet', { folders: [{ ...FOLDER, mode: null }] }, 'folder-images'],
    [
      'arm64, where KVM needs no flag of the CPU',
      { architecture: 'arm64', kvm: { ...HEALTHY.kvm, cpuFlag: null } },
      'acceleration',
    ],
    ['no ssh agent at all', { ssh: { hasConfig: false, agent: 'none' as const } }, 'ssh'],
  ])('find nothing wrong with %s', (_what, change, id) => {
    expect(found(change, id)?.level).toBe('ok');
  });

  test('say what confines machines as the driver has found it, instead of what is seen of cgroups', () => {
    const detail = 'not limited: none is delegated';
    const safeguards = [
      { name: 'system calls', active: true, detail: 'a filter' },
      { name: 'memory, processes', active: false, detail, remedy: 'delegate one' },
    ];
    const findings = findingsOf({ ...HEALTHY, cgroupDelegated: false, containment: { qemu: safeguards } });
    expect(findings).toContainEqual({
      id: 'containment-qemu-memory-processes',
      level: 'warning',
      text: `qemu, memory, processes: ${detail}`,
      fix: { text: 'delegate one' },
    });
    expect(findings.find(({ id }) => id === 'containment-qemu-system-calls')?.level).toBe('ok');
    expect(findings.find(({ id }) => id === 'cgroups')).toBeUndefined();
  });

  test('name a command for --fix only where it is safe to run, and say when only root may', () => {
    const broken = { ...HEALTHY, qemu: null, kvm: KVM_DENIED, libvirt: NO_DAEMON, cgroupDelegated: false };
    const programs = (facts: ComputerFacts) => findingsOf(facts).flatMap(({ fix }) => fix?.command?.[0] ?? []);
    expect(programs(broken)).toEqual(['apt-get', 'usermod']);
    expect(programs({ ...broken, hasSystemd: true })).toEqual(['apt-get', 'usermod', 'systemctl']);
    expect(findingsOf(broken).every(({ fix }) => fix?.command === undefined || fix.needsRoot)).toBe(true);
  });
});
