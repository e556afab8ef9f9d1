import type { SpawnOptions } from 'node:child_process';
import type { CgroupParent } from './cgroup.ts';

/** What keeps a QEMU process in its place, found out once for a host: see `findContainment`. */
export interface Containment {
  /** util-linux's programs by absolute path; absent where the host has none. */
  readonly prlimit?: string;
  readonly setpriv?: string;
  /** Opens a memory that nobody can write to; absent where the host has none. */
  readonly perl?: string;
  /** The user that QEMU runs as; absent: the user of this process. */
  readonly user?: ContainedUser;
  /** Where cgroups of machines are made; absent: machines are not limited in memory, processes and processors. */
  readonly cgroup?: CgroupParent;
}

export interface ContainedUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Groups that may open the devices of an acceleration, such as `/dev/kvm`: kept by a process that is to run guests with it. */
  readonly groups: readonly number[];
  /** Groups that it keeps in any case, such as that of its tap. @default none */
  readonly otherGroups?: readonly number[];
}

/** How a program is started in its containment: arguments for `child_process.spawn`. */
export interface Launch {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly options: SpawnOptions;
}

/** What one process is given. */
export interface LaunchPlan {
  readonly program: string;
  readonly arguments: readonly string[];
  /** Private folder it runs in, absolute. */
  readonly directory: string;
  /** No file it writes may become longer; its memory file counts when it makes it (`share`). */
  readonly maxFileBytes: number;
  /** It opens the device of the host's acceleration. */
  readonly accelerated: boolean;
  /** As for `spawn`; QEMU needs no standard input. */
  readonly stdio: SpawnOptions['stdio'];
}

/**
 * Chains `prlimit` (core dumps off, file size) and `setpriv` (user, no new privileges, no capabilities, dies with us) before the
 * program: they replace themselves by it, so the process id is the program's. Costs about 3 ms. Pure.
 *
 * Die with us: the kernel kills the program when the thread that started it ends, so a worker thread must not start machines that
 * are to outlive it.
 */
export function launch(plan: LaunchPlan, containment: Containment): Launch {
  const { prlimit, setpriv, user } = containment;
  const words = [
    ...(prlimit === undefined
      ? []
      : [prlimit, '--core=0:0', `--fsize=${plan.maxFileBytes}:${plan.maxFileBytes}`, '--']),
    ...(setpriv === undefined ? [] : [setpriv, ...privileges(user, plan.accelerated), '--']),
    plan.program,
    ...plan.arguments,
  ];
  const [command = plan.program, ...rest] = words;
  // Without setpriv node drops the user itself, which leaves root's groups behind only where node was not started as root.
  const dropped = setpriv === undefined && user !== undefined ? { uid: user.uid, gid: user.gid } : {};
  return {
    command,
    arguments: rest,
    // A session of its own: Ctrl-C in the user's terminal is for us, and machines end when the pool ends them.
    options: { cwd: plan.directory, env: environment(plan.directory), stdio: plan.stdio, detached: true, ...dropped },
  };
}

function privileges(user: ContainedUser | undefined, accelerated: boolean): string[] {
  const always = ['--pdeathsig', 'KILL', '--no-new-privs'];
  if (user === undefined) return always;
  const kept = [...(accelerated ? user.groups : []), ...(user.otherGroups ?? [])];
  const groups = kept.length === 0 ? ['--clear-groups'] : ['--groups', kept.join(',')];
  return [
    ...['--reuid', String(user.uid), '--regid', String(user.gid), ...groups],
    ...['--bounding-set', '-all', '--inh-caps', '-all'],
    ...always,
  ];
}

/** Nothing of ours: secrets like to live there, and variables change what libraries load. */
function environment(directory: string): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', HOME: directory, TMPDIR: directory };
}
