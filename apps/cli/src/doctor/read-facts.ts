import { access, constants, open, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { freemem, homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import {
  answers,
  type CommandRunner,
  candidateSockets,
  groupMayReadAndWrite,
  isDebianLike,
  qemuProgramOf,
  systemCommandRunner,
} from '@warmvm/local-host';
import type { ComputerFacts, FolderFacts } from './facts.ts';

/** Reads what there is to know of this computer. Never throws for what it cannot read: that is a fact too. */
export async function readFacts(
  asked: Pick<ComputerFacts, 'configurationMistake' | 'hosts' | 'leftovers' | 'containment'>,
  runner: CommandRunner = systemCommandRunner,
): Promise<ComputerFacts> {
  const { username } = userInfo();
  const groups = await runner.run(['id', '-Gn']);
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return {
    platform: process.platform,
    architecture: process.arch,
    nodeVersion: process.versions.node,
    user: { name: username, isRoot: process.getuid?.() === 0, groups: groups.output.trim().split(/\s+/) },
    isDebianLike: isDebianLike(await text('/etc/os-release')),
    // As systemd itself says in sd_booted(3).
    hasSystemd: await exists('/run/systemd/system'),
    kvm: await kvmFacts(runner),
    qemu: await firstLine(runner, qemuProgramOf()),
    libvirt: await libvirtFacts(runner),
    cgroupDelegated: await cgroupDelegated(),
    folders: [
      await folderFacts('images', join(cache, 'warmvm', 'images')),
      await folderFacts('temporary files', process.env.TMPDIR ?? '/tmp', true),
    ],
    memoryAvailableBytes: await memoryAvailable(),
    ssh: { hasConfig: await exists(join(homedir(), '.ssh', 'config')), agent: await agentState() },
    ...asked,
  };
}

async function kvmFacts(runner: CommandRunner): Promise<ComputerFacts['kvm']> {
  const flag = /^flags\s*:.*\b(vmx|svm)\b/m.exec(await text('/proc/cpuinfo'))?.[1];
  const cpuFlag = flag === 'vmx' || flag === 'svm' ? flag : null;
  if (!(await exists('/dev/kvm'))) return { device: 'absent', group: null, groupMayUse: false, cpuFlag };
  const { exitCode, output } = await runner.run(['stat', '-c', '%G', '/dev/kvm']);
  const group = exitCode === 0 && output.trim() !== 'UNKNOWN' ? output.trim() : null;
  const groupMayUse = await stat('/dev/kvm').then(
    ({ mode }) => groupMayReadAndWrite(mode),
    () => false,
  );
  const handle = await open('/dev/kvm', 'r+').catch(() => undefined);
  await handle?.close();
  return { device: handle === undefined ? 'denied' : 'opens', group, groupMayUse, cpuFlag };
}

async function libvirtFacts(runner: CommandRunner): Promise<ComputerFacts['libvirt']> {
  const isInstalled = (await firstLine(runner, 'libvirtd')) !== null || (await firstLine(runner, 'virtqemud')) !== null;
  let socket: ComputerFacts['libvirt']['socket'] = 'absent';
  for (const path of candidateSockets('/run/libvirt')) {
    if (!(await exists(path))) continue;
    if (await answers(path)) socket = 'answers';
    else if (socket !== 'answers') socket = (await mayWrite(path)) ? 'silent' : 'denied';
  }
  return { isInstalled, socket, parent: await daemonParent(), hasTini: (await firstLine(runner, 'tini')) !== null };
}

/** Name of the process that reaps what the daemon's guests leave. */
async function daemonParent(): Promise<string | null> {
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const name = (await text(`/proc/${pid}/comm`)).trim();
    if (name !== 'libvirtd' && name !== 'virtqemud') continue;
    const parent = /^PPid:\s*(\d+)$/m.exec(await text(`/proc/${pid}/status`))?.[1];
    const parentName = (await text(`/proc/${parent}/comm`)).trim();
    return parentName === '' ? null : parentName;
  }
  return null;
}

async function cgroupDelegated(): Promise<boolean | null> {
  const own = /^0::(.*)$/m.exec(await text('/proc/self/cgroup'))?.[1];
  if (own === undefined || !(await exists('/sys/fs/cgroup/cgroup.controllers'))) return null;
  return mayWrite(join('/sys/fs/cgroup', own, 'cgroup.subtree_control'));
}

async function folderFacts(what: string, path: string, isShared = false): Promise<FolderFacts> {
  const found = await stat(path).catch(() => undefined);
  let at = path;
  while (at !== '/' && !(await exists(at))) at = dirname(at);
  const { bavail, bsize } = await statfs(at);
  const mode = found === undefined || isShared ? null : found.mode & 0o777;
  return { what, path, mode, freeBytes: bavail * bsize };
}

async function memoryAvailable(): Promise<number> {
  const kibibytes = /^MemAvailable:\s*(\d+) kB$/m.exec(await text('/proc/meminfo'))?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

async function agentState(): Promise<ComputerFacts['ssh']['agent']> {
  const socket = process.env.SSH_AUTH_SOCK;
  if (socket === undefined || socket === '') return 'none';
  return (await answers(socket)) ? 'answers' : 'silent';
}

async function firstLine(runner: CommandRunner, program: string): Promise<string | null> {
  const { exitCode, output } = await runner.run([program, '--version']);
  return exitCode === 0 ? (output.split('\n')[0] ?? '').trim() : null;
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function exists(path: string): Promise<boolean> {
  return allowed(path, constants.F_OK);
}

function mayWrite(path: string): Promise<boolean> {
  return allowed(path, constants.W_OK);
}

function allowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
