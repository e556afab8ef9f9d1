import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, sleep, WarmvmError } from '@warmvm/core/driver';

/** A cgroup (version 2) in which we may make others. */
export interface CgroupParent {
  /** Absolute path below the cgroup file system. */
  readonly path: string;
  /** What can be limited there. */
  readonly controllers: readonly string[];
}

/** Why machines have no cgroups. */
export interface NoCgroup {
  /** Why, as it follows `not limited: `. */
  readonly reason: string;
  /** What to do. */
  readonly remedy: string;
}

/** What one machine may use of its host. */
export interface CgroupLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  /** Processors, such as 1.5. */
  readonly processors: number;
}

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;
const MEBIBYTE = 2 ** 20;
/** What QEMU needs besides the guest's memory; under emulation its cache of translated code may grow to 1 GiB. */
const OVERHEAD_BYTES = { kvm: 256 * MEBIBYTE, hvf: 256 * MEBIBYTE, tcg: 1280 * MEBIBYTE } as const;
/** QEMU keeps up to 64 threads for input and output, besides one per CPU and a few of its own. */
const THREADS = 96;
const REMOVAL_ATTEMPTS = 50;
const REMOVAL_DELAY_MS = 10;

/** Generous for a machine of this size: bounds for one that was broken out of, not a tuning knob. */
export function cgroupLimits(machine: {
  readonly memoryBytes: number;
  readonly virtualCpus: number;
  readonly acceleration: 'kvm' | 'hvf' | 'tcg';
}): CgroupLimits {
  return {
    memoryBytes: machine.memoryBytes + OVERHEAD_BYTES[machine.acceleration],
    processes: THREADS + machine.virtualCpus,
    processors: machine.virtualCpus + 1,
  };
}

/**
 * The cgroup to make machines' cgroups in: the one asked for, or the nearest above ours that belongs to this user, as systemd gives
 * to the services and sessions of users. Nothing of root's is taken unasked: it is systemd's. Else why there is none.
 * @param root where the cgroup file system is mounted @default '/sys/fs/cgroup'
 */
export async function findCgroupParent(wanted?: string, root: string = ROOT): Promise<CgroupParent | NoCgroup> {
  if (wanted !== undefined) return usable(wanted);
  if ((await text(join(root, 'cgroup.controllers'))) === undefined) {
    const remedy = 'boot Linux with cgroup version 2 alone, such as with systemd.unified_cgroup_hierarchy=1';
    return { reason: `${root} is not a cgroup version 2 file system`, remedy };
  }
  if (process.getuid?.() === 0) {
    const reason = "the cgroups of root are the system manager's, and none was named";
    return {
      reason,
      remedy: 'name a delegated one with options.cgroup, as a systemd service with Delegate=yes has it',
    };
  }
  const own = /^0::(\/.*)$/m.exec((await text('/proc/self/cgroup')) ?? '')?.[1] ?? '/';
  for (let path = dirname(join(root, own)); path.startsWith(root); path = dirname(path)) {
    const owner = await stat(path).catch(() => undefined);
    if (owner?.uid !== process.getuid?.()) break;
    const parent = await usable(path);
    if ('controllers' in parent) return parent;
  }
  return {
    reason: 'no cgroup with memory and pids is delegated to this user',
    remedy: 'run it in one: systemd-run --user --scope -p Delegate=yes ...',
  };
}

/** Makes a cgroup for one generation of a machine, with its limits. @throws WARMVM_HOST_OPERATION */
export async function createCgroup(parent: CgroupParent, id: string, limits: CgroupLimits): Promise<string> {
  // A reset starts the new generation while the old one dies: each has limits of its own.
  const path = join(parent.path, `${id}.${randomBytes(4).toString('hex')}`);
  const files: readonly (readonly [controller: string, file: string, value: string])[] = [
    ['memory', 'memory.max', String(limits.memoryBytes)],
    ['memory', 'memory.oom.group', '1'],
    ['pids', 'pids.max', String(limits.processes)],
    ['cpu', 'cpu.max', `${Math.round(limits.processors * PERIOD_US)} ${PERIOD_US}`],
  ];
  try {
    await mkdir(path);
    for (const [controller, file, value] of files) {
      if (parent.controllers.includes(controller)) await writeFile(join(path, file), value);
    }
    return path;
  } catch (cause) {
    await rmdir(path).catch(() => {});
    throw new WarmvmError('WARMVM_HOST_OPERATION', `could not make the cgroup ${path}`, { cause, details: { path } });
  }
}

/** Removes all cgroups of a machine. @throws the file system's error when one stays */
export async function removeCgroupsOf(parent: CgroupParent, id: string, clock: Clock): Promise<void> {
  const names = await readdir(parent.path);
  const own = names.filter((name) => name.startsWith(`${id}.`));
  await Promise.all(own.map((name) => removeCgroup(join(parent.path, name), clock)));
}

/** Puts a process, with all its threads, under the limits. */
export async function joinCgroup(path: string, pid: number): Promise<void> {
  await writeFile(join(path, 'cgroup.procs'), String(pid));
}

/** Kills what is left in a cgroup and removes it. Absent is success. @throws the file system's error when it stays */
export async function removeCgroup(path: string, clock: Clock): Promise<void> {
  // Linux 5.14 and newer; before, whoever removes it has killed its processes one by one.
  await writeFile(join(path, 'cgroup.kill'), '1').catch(() => {});
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || attempt === REMOVAL_ATTEMPTS) throw error;
      await sleep(clock, REMOVAL_DELAY_MS);
    }
  }
}

async function usable(path: string): Promise<CgroupParent | NoCgroup> {
  const enabled = (await text(join(path, 'cgroup.subtree_control')))?.trim().split(/\s+/);
  if (enabled === undefined) {
    return { reason: `${path} is no cgroup of version 2`, remedy: 'name one below a cgroup version 2 file system' };
  }
  if (!enabled.includes('memory') || !enabled.includes('pids')) {
    const remedy = `write "+memory +pids +cpu" to ${path}/cgroup.subtree_control`;
    return { reason: `${path} does not pass memory and pids on`, remedy };
  }
  for (const file of [path, join(path, 'cgroup.procs')]) {
    const writable = await access(file, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!writable) return { reason: `${file} may not be written to`, remedy: `give ${path} to this user` };
  }
  return { path, controllers: enabled };
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
