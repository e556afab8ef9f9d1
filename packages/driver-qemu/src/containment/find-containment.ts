import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Safeguard, WarmvmError } from '@warmvm/core/driver';
import { findCgroupParent, type NoCgroup } from './cgroup.ts';
import { type ContainedUser, type Containment, launch } from './launch.ts';
import { safeguardsOf, type Tool } from './safeguards.ts';

/** What a host is asked for. */
export interface FindContainmentOptions {
  /**
   * User to run QEMU as when this process is root; `root` keeps root.
   * @default the first of warmvm, libvirt-qemu, qemu and nobody that exists
   */
  readonly user?: string;
  /** Delegated cgroup to make machines' in. @default the nearest that belongs to this user */
  readonly cgroup?: string;
  /** Whether QEMU here has a filter of system calls. */
  readonly sandbox: boolean;
}

/** What QEMU is contained with, and what of it is to be told. */
export interface FoundContainment extends Containment {
  /** Each that there could be, whether or not it is active. */
  readonly safeguards: readonly Safeguard[];
}

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];
const USERS = ['warmvm', 'libvirt-qemu', 'qemu', 'nobody'];
const TRIAL_TIMEOUT_MS = 10_000;
/** QEMU writes at least its state. */
const TRIAL_FILE_BYTES = 2 ** 30;

/**
 * Finds out, by trying, what this host has to contain a QEMU process with. Costs a few processes: once for a driver.
 * @throws WARMVM_HOST_OPERATION when the user or the cgroup that was asked for cannot be had
 */
export async function findContainment(options: FindContainmentOptions): Promise<FoundContainment> {
  const user = await findUser(options);
  const wanted = user === undefined ? {} : { user };
  const tools = await toolsThatWork(wanted, { prlimit: await find('prlimit'), setpriv: await find('setpriv') });
  const cgroup = await findCgroupParent(options.cgroup);
  if (options.cgroup !== undefined && 'reason' in cgroup) throw noSuchCgroup(options.cgroup, cgroup);
  return {
    ...wanted,
    ...programsOf(tools),
    ...('controllers' in cgroup ? { cgroup } : {}),
    safeguards: safeguardsOf({
      sandbox: options.sandbox,
      isRoot: process.getuid?.() === 0,
      ...wanted,
      ...tools,
      cgroup,
    }),
  };
}

/** Programs that contain others, tried or not. */
interface Tools {
  readonly prlimit: Tool;
  readonly setpriv: Tool;
}

/** Containers forbid one thing or the other: leaves out what does not work. */
async function toolsThatWork(wanted: Containment, tools: Tools): Promise<Tools> {
  const program = await find('true');
  if ('missing' in program) return { prlimit: program, setpriv: program };
  const complaintOf = (some: Tools): Promise<string | undefined> =>
    attempt({ ...wanted, ...programsOf(some) }, program.path);
  if ((await complaintOf(tools)) === undefined) return tools;
  const alone = async (name: keyof Tools): Promise<Tool> => {
    const left = { missing: 'the other is tried alone' };
    const complaint = await complaintOf({ prlimit: left, setpriv: left, [name]: tools[name] });
    return complaint === undefined ? tools[name] : { missing: `this host does not allow it (${complaint})` };
  };
  return { prlimit: await alone('prlimit'), setpriv: await alone('setpriv') };
}

function programsOf({ prlimit, setpriv }: Tools): Pick<Containment, 'prlimit' | 'setpriv'> {
  return {
    ...('path' in prlimit ? { prlimit: prlimit.path } : {}),
    ...('path' in setpriv ? { setpriv: setpriv.path } : {}),
  };
}

async function attempt(containment: Containment, program: string): Promise<string | undefined> {
  const plan = { program, arguments: [], directory: '/', maxFileBytes: TRIAL_FILE_BYTES, accelerated: true } as const;
  const { command, arguments: list, options } = launch({ ...plan, stdio: 'ignore' }, containment);
  const { uid, gid, env } = options;
  const identity = uid === undefined || gid === undefined ? {} : { uid, gid };
  try {
    await promisify(execFile)(command, [...list], { cwd: '/', env, timeout: TRIAL_TIMEOUT_MS, ...identity });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    return (stderr?.trim() || message).slice(0, 300);
  }
}

async function find(name: string): Promise<Tool> {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { path };
  }
  return { missing: `${name} is not installed` };
}

async function findUser({ user }: FindContainmentOptions): Promise<ContainedUser | undefined> {
  if (process.getuid?.() !== 0) {
    if (user === undefined) return undefined;
    throw noSuchUser(user, 'only root may run QEMU as another user; leave options.user out');
  }
  if (user === 'root') return undefined;
  for (const name of user === undefined ? USERS : [user]) {
    const uid = await numberOf('-u', name);
    const gid = (await ownGroup(name)) ?? (await numberOf('-g', name));
    if (uid !== undefined && gid !== undefined && uid !== 0) {
      return { name, uid, gid, groups: await deviceGroup() };
    }
  }
  throw noSuchUser(user ?? USERS.join(', '), 'make a system user for it, such as with `useradd --system warmvm`');
}

/** `id` also knows users that are in no file. */
async function numberOf(flag: '-u' | '-g', name: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('id', [flag, '--', name], { timeout: TRIAL_TIMEOUT_MS });
    return /^\d+\n$/.test(stdout) ? Number(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The group that is named like the user: his main one may be others' too, as Debian's libvirt-qemu is in kvm with everybody who may use
 * the device, and files reach QEMU through its group.
 */
async function ownGroup(name: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('getent', ['group', name], { timeout: TRIAL_TIMEOUT_MS });
    const [found, , gid, members] = stdout.trim().split(':');
    return found === name && /^[1-9]\d*$/.test(gid ?? '') && ['', name].includes(members ?? '')
      ? Number(gid)
      : undefined;
  } catch {
    // getent fails when there is no such group.
    return undefined;
  }
}

async function deviceGroup(): Promise<readonly number[]> {
  const device = await stat('/dev/kvm').catch(() => undefined);
  return device === undefined || device.gid === 0 ? [] : [device.gid];
}

function noSuchUser(user: string, remedy: string): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `QEMU cannot run as ${user}: ${remedy}`, {
    details: { user, remedy },
  });
}

function noSuchCgroup(path: string, { reason, remedy }: NoCgroup): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `machines cannot be limited by options.cgroup: ${reason}`, {
    details: { cgroup: path, remedy },
  });
}
