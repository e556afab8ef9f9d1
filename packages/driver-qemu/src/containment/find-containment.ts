import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { WarmvmError } from '@warmvm/core/driver';
import { findCgroupParent } from './cgroup.ts';
import { type ContainedUser, type Containment, launch } from './launch.ts';

/** What a host is asked for. */
export interface FindContainmentOptions {
  /**
   * User to run QEMU as when this process is root; `root` keeps root.
   * @default the first of warmvm, libvirt-qemu, qemu and nobody that exists
   */
  readonly user?: string;
  /** Delegated cgroup to make machines' in. @default the nearest that belongs to this user */
  readonly cgroup?: string;
  /** Machines need to open the device of the acceleration. */
  readonly acceleration: 'kvm' | 'hvf' | 'tcg';
}

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];
const USERS = ['warmvm', 'libvirt-qemu', 'qemu', 'nobody'];
const TRIAL_TIMEOUT_MS = 10_000;
/** QEMU writes at least its state. */
const TRIAL_FILE_BYTES = 2 ** 30;

/**
 * Finds out, by trying, what this host has to contain a QEMU process with. Costs a few processes: once for a driver.
 * @throws WARMVM_HOST_OPERATION when the user that was asked for does not exist, or another than root asks for one
 */
export async function findContainment(options: FindContainmentOptions): Promise<Containment> {
  const user = await findUser(options);
  const missing: string[] = [];
  const programs = {
    ...(await findProgram('prlimit', 'core dumps and file sizes are not limited', missing)),
    ...(await findProgram('setpriv', 'machines do not die with this process (the sweep removes them)', missing)),
  };
  const wanted = { ...programs, ...(user === undefined ? {} : { user }), missing: [] };
  const usable = await firstThatWorks(wanted, missing);
  const cgroup = await findCgroupParent(options.cgroup);
  if (typeof cgroup === 'string') missing.push(cgroup);
  if (process.getuid?.() === 0 && user === undefined) missing.push('QEMU runs as root, as options.user asks');
  if (user?.name === 'nobody') {
    missing.push('QEMU runs as nobody, whom other services may use too; a user named warmvm would be its own');
  }
  return { ...usable, ...(typeof cgroup === 'string' ? {} : { cgroup }), missing };
}

/** Containers forbid one thing or the other: takes as much as they allow. */
async function firstThatWorks(wanted: Containment, missing: string[]): Promise<Containment> {
  const { prlimit, setpriv, ...bare } = wanted;
  const limits = prlimit === undefined ? {} : { prlimit };
  const privileges = setpriv === undefined ? {} : { setpriv };
  const program = await findProgram('true', '', []);
  if (program.true === undefined) return bare;
  const candidates: readonly Containment[] = [wanted, { ...bare, ...privileges }, { ...bare, ...limits }];
  for (const candidate of candidates) {
    const complaint = await attempt(candidate, program.true);
    if (complaint === undefined) return candidate;
    missing.push(`this host does not allow all of the containment: ${complaint}`);
  }
  return bare;
}

async function attempt(containment: Containment, program: string): Promise<string | undefined> {
  const plan = { program, arguments: [], directory: '/', maxFileBytes: TRIAL_FILE_BYTES, stdio: 'ignore' } as const;
  const { command, arguments: list, options } = launch(plan, containment);
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

async function findProgram<Name extends string>(
  name: Name,
  consequence: string,
  missing: string[],
): Promise<{ readonly [key in Name]?: string }> {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { [name]: path } as { readonly [key in Name]?: string };
  }
  missing.push(`${name} (util-linux) is not installed: ${consequence}`);
  return {};
}

async function findUser({ user, acceleration }: FindContainmentOptions): Promise<ContainedUser | undefined> {
  if (process.getuid?.() !== 0) {
    if (user === undefined) return undefined;
    throw noSuchUser(user, 'only root may run QEMU as another user; leave options.user out');
  }
  if (user === 'root') return undefined;
  for (const name of user === undefined ? USERS : [user]) {
    const uid = await numberOf('-u', name);
    const gid = (await ownGroup(name)) ?? (await numberOf('-g', name));
    if (uid !== undefined && gid !== undefined && uid !== 0) {
      return { name, uid, gid, groups: acceleration === 'kvm' ? await deviceGroup() : [] };
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
