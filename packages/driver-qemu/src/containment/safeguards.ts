import type { Safeguard } from '@warmvm/core/driver';
import type { CgroupParent, NoCgroup } from './cgroup.ts';
import type { ContainedUser } from './launch.ts';
import type { Tool } from './tool.ts';
import type { UserIdRange } from './user-ids.ts';

/** What was found out about a host. */
export interface ContainmentFacts {
  /** Whether QEMU there has a filter of system calls. */
  readonly sandbox: boolean;
  /** Whether this process is root. */
  readonly isRoot: boolean;
  /** The user that all machines share; absent: that of this process, or one for each machine. */
  readonly user?: ContainedUser;
  /** Each machine has one of these. */
  readonly userIds?: UserIdRange;
  /** Why machines share a user though none was asked for. */
  readonly shared?: string;
  readonly prlimit: Tool;
  readonly setpriv: Tool;
  readonly cgroup: CgroupParent | NoCgroup;
}

const INSTALL = 'install util-linux (Linux); in a container, allow it to limit itself and to drop capabilities';

/** What keeps a QEMU in its place and what does not, for the host's report. Pure. */
export function safeguardsOf(facts: ContainmentFacts): readonly Safeguard[] {
  return [
    systemCalls(facts),
    user(facts),
    ownUser(facts),
    privileges(facts),
    files(facts),
    resources(facts),
    death(facts),
  ];
}

/** What is to be told before machines are made: of each safeguard that is not active, why, and what to do. */
export function noticesOf(safeguards: readonly Safeguard[]): readonly string[] {
  return safeguards.flatMap(({ name, active, detail, remedy }) =>
    active ? [] : [`not contained: ${name}: ${detail}; to mend it: ${remedy}`],
  );
}

function systemCalls({ sandbox }: ContainmentFacts): Safeguard {
  const name = 'system calls';
  if (sandbox) return { name, active: true, detail: "QEMU's filter with every switch on" };
  const detail = "not filtered: QEMU's filter exists on Linux only";
  return { name, active: false, detail, remedy: 'run machines on Linux' };
}

function user({ isRoot, user, userIds }: ContainmentFacts): Safeguard {
  const name = 'user';
  if (user?.name === 'nobody') {
    const detail = 'QEMU runs as nobody, whom other services may use too';
    return { name, active: false, detail, remedy: 'make a user of its own: useradd --system warmvm' };
  }
  if (userIds !== undefined) return { name, active: true, detail: 'QEMU runs as a user that nothing else runs as' };
  if (user !== undefined) return { name, active: true, detail: `QEMU runs as ${user.name}, in no group but its own` };
  if (!isRoot) return { name, active: true, detail: 'QEMU runs as the user of this process, who is not root' };
  return { name, active: false, detail: 'QEMU runs as root, as options.user asks', remedy: 'leave options.user out' };
}

/** Between machines. */
function ownUser({ isRoot, user, userIds, shared }: ContainmentFacts): Safeguard {
  const name = 'a user of its own';
  if (userIds !== undefined) {
    return { name, active: true, detail: `each machine has a user id, from ${userIds.first} to ${userIds.last}` };
  }
  if (!isRoot) {
    const detail = 'machines share the user of this process: one that is broken out of may reach what this user may';
    return { name, active: false, detail, remedy: 'run the driver as root, which gives each machine a user id' };
  }
  const detail = `machines share the user ${user?.name ?? 'root'}: one that is broken out of may end and trace the others`;
  if (shared === undefined) return { name, active: false, detail, remedy: 'leave options.user out' };
  const remedy = 'name user ids that this host allows with options.userIds, such as 60000-64095 in a container';
  return { name, active: false, detail: `${detail} (${shared})`, remedy };
}

function privileges({ setpriv, user, userIds }: ContainmentFacts): Safeguard {
  const name = 'privileges';
  if ('missing' in setpriv)
    return { name, active: false, detail: `new ones can be gained: ${setpriv.missing}`, remedy: INSTALL };
  return {
    name,
    active: true,
    detail: `no new ones${user === undefined && userIds === undefined ? '' : ', and no capability'} (setpriv)`,
  };
}

function files({ prlimit }: ContainmentFacts): Safeguard {
  const name = 'core dumps and file sizes';
  if ('missing' in prlimit) return { name, active: false, detail: `not limited: ${prlimit.missing}`, remedy: INSTALL };
  return { name, active: true, detail: 'no core dump, and no file grows without end (prlimit)' };
}

function resources({ cgroup }: ContainmentFacts): Safeguard {
  const name = 'memory, processes, processors';
  if ('reason' in cgroup)
    return { name, active: false, detail: `not limited: ${cgroup.reason}`, remedy: cgroup.remedy };
  const { path, controllers } = cgroup;
  if (controllers.includes('cpu'))
    return { name, active: true, detail: `limited by a cgroup of each machine in ${path}` };
  return {
    name,
    active: false,
    detail: `memory and processes are limited by a cgroup of each machine in ${path}, processors are not: it does not pass cpu on`,
    remedy: `write "+cpu" to ${path}/cgroup.subtree_control`,
  };
}

function death({ setpriv }: ContainmentFacts): Safeguard {
  const name = 'death with this process';
  if ('missing' in setpriv) {
    const detail = `left to the next driver, which sweeps: ${setpriv.missing}`;
    return { name, active: false, detail, remedy: INSTALL };
  }
  return { name, active: true, detail: 'the kernel kills machines with the process that started them (setpriv)' };
}
