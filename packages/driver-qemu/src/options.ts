import { availableParallelism } from 'node:os';
import {
  aClock,
  type Clock,
  checkedBy,
  checkOptions,
  type OptionRules,
  oneOf,
  systemClock,
  textLike,
  trueOrFalse,
  wholeNumber,
} from '@warmvm/core/driver';
import { parseUserIds, type UserIdRange } from './containment/user-ids.ts';
import { NETWORK_SCHEMA, type ParsedNetwork, parseNetwork, type QemuNetwork } from './network/network-option.ts';

/** Options of `createQemuDriver`. */
export interface QemuDriverOptions {
  /** Program to start. @default `qemu-system-x86_64` or `qemu-system-aarch64`, as the image asks, found by PATH */
  readonly binary?: string;
  /**
   * Folder for what lives and dies with processes: machines, marks, overlays. It belongs to this user alone, with mode 0700. Its
   * parents must belong to root or this user, and no other may write to them.
   * @default `warmvm/qemu` below `XDG_STATE_HOME`, or below `~/.local/state`; for root `/var/lib/warmvm/qemu`
   */
  readonly stateDirectory?: string;
  /** `auto` takes KVM or HVF only where it can really run guests. @default 'auto' */
  readonly acceleration?: 'auto' | 'kvm' | 'hvf' | 'tcg';
  /**
   * Golden snapshots stay on disk when the driver is disposed, for the next one of this user to find: no boot then. False: each is
   * its driver's own, and goes with it.
   * @default true
   */
  readonly keepGoldens?: boolean;
  /**
   * One user for the QEMUs of all machines when this process is root; `root` keeps root.
   * @default each machine has a user id from `userIds`; where the host does not allow that, the first of warmvm, libvirt-qemu, qemu
   * and nobody that exists
   */
  readonly user?: string;
  /**
   * User ids for machines when this process is root, such as `60000-64095`: at least 1024, that nothing else on this computer uses.
   * @default '1879048192-2147483646'
   */
  readonly userIds?: string;
  /** Delegated cgroup (version 2), as an absolute path, in which each machine gets one. @default the nearest that belongs to this user */
  readonly cgroup?: string;
  /** Most that a tenant may write to the disk; more is an error in the guest. Sparse. @default 2147483648 */
  readonly maxOverlayBytes?: number;
  /** Golden snapshots that nobody uses are removed above this, the longest unused first. @default 10737418240 */
  readonly maxCacheBytes?: number;
  /**
   * What the network card of machines is plugged into; part of what a golden snapshot is known by.
   * @default no card; an image that asks for a user network is refused then: see {@link QemuUserNetwork.hostLoopback}
   */
  readonly network?: QemuNetwork;
  /**
   * Processes that wait, for each golden snapshot, to become a machine. They count in a pool's `max`.
   * @default 0
   */
  readonly standby?: number;
  /** Forks at a time. @default twice the number of CPUs here, at most 16 */
  readonly concurrentForks?: number;
  /** Bound for one boot of a golden image until its agent answers. @default 120000 */
  readonly bootTimeoutMs?: number;
  /** Bound for a QEMU that was started to load its state and run. @default 30000 */
  readonly startTimeoutMs?: number;
  /** Bound for the agent to answer and to renew after a fork or reset. @default 15000 */
  readonly agentTimeoutMs?: number;
  /** Difference between the guest's clock and ours that is accepted after it was set. @default 50 */
  readonly clockToleranceMs?: number;
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export interface ParsedOptions
  extends Required<Omit<QemuDriverOptions, 'binary' | 'stateDirectory' | 'user' | 'userIds' | 'cgroup' | 'network'>> {
  readonly binary: string | undefined;
  readonly stateDirectory: string | undefined;
  readonly user: string | undefined;
  readonly userIds: UserIdRange | undefined;
  readonly cgroup: string | undefined;
  readonly network: ParsedNetwork | undefined;
}

/** What each option may be; `optionsSchema` makes a JSON schema of it. */
export const qemuOptionRules: OptionRules<QemuDriverOptions> = {
  binary: textLike(/^[\w./+-]{1,200}$/, 'the name or path of a program'),
  stateDirectory: textLike(/^\/[^\p{Cc}]{1,600}$/u, 'an absolute path of at most 601 letters'),
  acceleration: oneOf('auto', 'kvm', 'hvf', 'tcg'),
  keepGoldens: trueOrFalse,
  user: textLike(/^[A-Za-z_][\w.-]{0,31}\$?$/, 'the name of a user'),
  userIds: checkedBy((_name, value) => void parseUserIds(value), { type: 'string' }),
  cgroup: textLike(/^\/[\w./@:+-]{1,400}$/, 'an absolute path'),
  maxOverlayBytes: wholeNumber(2 ** 20, 2 ** 44),
  maxCacheBytes: wholeNumber(0, 2 ** 50),
  network: checkedBy((_name, value) => void parseNetwork(value), NETWORK_SCHEMA),
  standby: wholeNumber(0, 64),
  concurrentForks: wholeNumber(1, 64),
  bootTimeoutMs: wholeNumber(1_000, 3_600_000),
  startTimeoutMs: wholeNumber(100, 600_000),
  agentTimeoutMs: wholeNumber(100, 600_000),
  clockToleranceMs: wholeNumber(1, 60_000),
  clock: aClock,
};

/**
 * Checks and completes the options.
 * @throws TypeError, RangeError naming the option, its value and what was expected; TypeError for one that is unknown
 */
export function parseOptions(options: QemuDriverOptions): ParsedOptions {
  checkOptions(options, qemuOptionRules);
  return {
    binary: options.binary,
    stateDirectory: options.stateDirectory,
    user: options.user,
    userIds: options.userIds === undefined ? undefined : parseUserIds(options.userIds),
    cgroup: options.cgroup,
    network: parseNetwork(options.network),
    maxOverlayBytes: options.maxOverlayBytes ?? 2 ** 31,
    maxCacheBytes: options.maxCacheBytes ?? 10 * 2 ** 30,
    acceleration: options.acceleration ?? 'auto',
    keepGoldens: options.keepGoldens ?? true,
    standby: options.standby ?? 0,
    concurrentForks: options.concurrentForks ?? Math.min(16, 2 * availableParallelism()),
    bootTimeoutMs: options.bootTimeoutMs ?? 120_000,
    startTimeoutMs: options.startTimeoutMs ?? 30_000,
    agentTimeoutMs: options.agentTimeoutMs ?? 15_000,
    clockToleranceMs: options.clockToleranceMs ?? 50,
    clock: options.clock ?? systemClock,
  };
}
