import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Safeguard, WarmvmError } from '@warmvm/core/driver';
import { findCgroupParent, type NoCgroup } from './cgroup.ts';
import type { ContainedUser, Containment } from './launch.ts';
import { safeguardsOf } from './safeguards.ts';
import { canEnd, complaintOf, findTool, type Tool } from './tool.ts';
import { type UserIdRange, UserIds } from './user-ids.ts';

/** What a host is asked for. */
export interface FindContainmentOptions {
  /**
   * One user for all machines when this process is root; `root` keeps root.
   * @default a user id of its own for each machine; where the host does not allow that, the first of warmvm, libvirt-qemu, qemu and
   * nobody that exists
   */
  readonly user?: string;
  /** Where the machines' user ids come from. @default `DEFAULT_USER_IDS` */
  readonly userIds?: UserIdRange;
  /** Delegated cgroup to make machines' in. @default the nearest that belongs to this user */
  readonly cgroup?: string;
  /** Whether QEMU here has a filter of system calls. */
  readonly sandbox: boolean;
}

/** What QEMU is contained with, and what of it is to be told. */
export interface FoundContainment extends Containment {
  /** Each machine gets one of these; absent: all run as `user`. */
  readonly userIds?: UserIds;
  /** Groups that may open the devices of an acceleration. */
  readonly deviceGroups: readonly number[];
  /** Each that there could be, whether or not it is active. */
  readonly safeguards: readonly Safeguard[];
}

const USERS = ['warmvm', 'libvirt-qemu', 'qemu', 'nobody'];
const TRIAL_TIMEOUT_MS = 10_000;
const RIGHTS = 'CAP_SETUID, CAP_SETGID and CAP_KILL';

/**
 * Finds out, by trying, what this host has to contain a QEMU process with. Costs a few processes: once for a driver.
 * @throws WARMVM_HOST_OPERATION when the user or the cgroup that was asked for cannot be had, or when this process could not end the
 * machines that it starts
 */
export async function findContainment(options: FindContainmentOptions): Promise<FoundContainment> {
  const deviceGroups = await deviceGroup();
  const { user, userIds, tools, shared } = await findIdentity(options, deviceGroups);
  const cgroup = await findCgroupParent(options.cgroup);
  if (options.cgroup !== undefined && 'reason' in cgroup) throw noSuchCgroup(options.cgroup, cgroup);
  const wanted = user === undefined ? {} : { user };
  return {
    ...wanted,
    ...(userIds === undefined ? {} : { userIds }),
    deviceGroups,
    ...programsOf(tools),
    ...('controllers' in cgroup ? { cgroup } : {}),
    safeguards: safeguardsOf({
      sandbox: options.sandbox,
      isRoot: process.getuid?.() === 0,
      ...wanted,
      ...(userIds === undefined ? {} : { userIds: userIds.range }),
      ...(shared === undefined ? {} : { shared }),
      ...tools,
      cgroup,
    }),
  };
}

/** The user that a machine of its own id runs as. */
export function userOf(
  uid: number,
  groups: { readonly device: readonly number[]; readonly always?: readonly number[] },
): ContainedUser {
  return { name: `user id ${uid}`, uid, gid: uid, groups: groups.device, otherGroups: groups.always ?? [] };
}

/** Programs that contain others, tried or not. */
interface Tools {
  readonly prlimit: Tool;
  readonly setpriv: Tool;
  readonly perl: Tool;
}

interface Identity {
  readonly user?: ContainedUser;
  readonly userIds?: UserIds;
  readonly tools: Tools;
  /** Why machines share a user though none was asked for. */
  readonly shared?: string;
}

async function findIdentity(options: FindContainmentOptions, groups: readonly number[]): Promise<Identity> {
  const tools = {
    prlimit: await findTool('prlimit'),
    setpriv: await findTool('setpriv'),
    perl: await findTool('perl'),
  };
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && options.user !== undefined) {
    throw noSuchUser(options.user, 'only root may run QEMU as another user; leave options.user out');
  }
  if (!isRoot || options.user === 'root') return { tools: await toolsThatWork({}, tools) };
  if (process.platform !== 'linux') {
    throw noSuchUser('another user', 'this system has no /proc; run as an ordinary user, or set options.user to root');
  }
  let shared: string | undefined;
  if (options.user === undefined) {
    const userIds = UserIds.ofThisProcess(options.userIds);
    const first = userOf(userIds.range.first, { device: groups });
    const found = await toolsFor(first, tools);
    if (found.complaint === undefined) return { userIds, tools: found.tools };
    shared = found.complaint;
  }
  for (const name of options.user === undefined ? USERS : [options.user]) {
    const uid = await numberOf('-u', name);
    const gid = (await ownGroup(name)) ?? (await numberOf('-g', name));
    if (uid === undefined || gid === undefined || uid === 0) continue;
    const user = { name, uid, gid, groups };
    const found = await toolsFor(user, tools);
    if (found.complaint !== undefined) {
      const remedy = `give this process ${RIGHTS}, or run it as an ordinary user, or set options.user to root`;
      throw noSuchUser(name, `this host does not allow it (${found.complaint}); ${remedy}`);
    }
    return { user, tools: found.tools, ...(shared === undefined ? {} : { shared }) };
  }
  throw noSuchUser(
    options.user ?? USERS.join(', '),
    'make a system user for it, such as with `useradd --system warmvm`',
  );
}

/** Tools that work for QEMU of another user. @throws WARMVM_HOST_OPERATION where this process may not end what they start */
async function toolsFor(
  user: ContainedUser,
  all: Tools,
): Promise<{ readonly tools: Tools; readonly complaint: string | undefined }> {
  const tools = await toolsThatWork({ user }, all);
  const echo = await findTool('cat');
  if ('missing' in echo) return { tools, complaint: echo.missing };
  const containment = { user, ...programsOf(tools) };
  const complaint = await complaintOf(containment, echo.path, ['/dev/null']);
  if (complaint !== undefined || (await canEnd(containment, echo.path))) return { tools, complaint };
  throw noSuchUser(
    user.name,
    `this process may start programs as that user and may not end them; give it ${RIGHTS} (docker run --cap-add KILL), or run it as an ordinary user, or set options.user to root`,
  );
}

/** Containers forbid one thing or the other: leaves out what does not work. */
async function toolsThatWork(wanted: Containment, tools: Tools): Promise<Tools> {
  const program = await findTool('true');
  if ('missing' in program) return { ...tools, prlimit: program, setpriv: program };
  const complaint = (some: Partial<Tools>): Promise<string | undefined> =>
    complaintOf({ ...wanted, ...programsOf(some) }, program.path);
  if ((await complaint(tools)) === undefined) return tools;
  const alone = async (name: 'prlimit' | 'setpriv'): Promise<Tool> => {
    const reason = await complaint({ [name]: tools[name] });
    return reason === undefined ? tools[name] : { missing: `this host does not allow it (${reason})` };
  };
  return { ...tools, prlimit: await alone('prlimit'), setpriv: await alone('setpriv') };
}

function programsOf(tools: Partial<Tools>): Pick<Containment, keyof Tools> {
  const found = Object.entries(tools).filter((pair): pair is [keyof Tools, { path: string }] => 'path' in pair[1]);
  return Object.fromEntries(found.map(([name, { path }]) => [name, path]));
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
 * the device.
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

/**
 * Whether the machines of a driver that root has started may not open the device: root itself always may. They keep its group, which no machine gets
 * where that is root's.
 */
export async function isClosedToMachines(
  device = '/dev/kvm',
  isRoot: boolean = process.getuid?.() === 0,
): Promise<boolean> {
  const found = await stat(device).catch(() => undefined);
  if (!isRoot || found === undefined) return false;
  const opensForGroup = found.gid !== 0 && (found.mode & 0o060) === 0o060;
  return !opensForGroup && (found.mode & 0o006) !== 0o006;
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
