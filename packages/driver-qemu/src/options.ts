import { availableParallelism } from 'node:os';
import { type Clock, systemClock } from '@warmvm/core/driver';
import { type ParsedNetwork, parseNetwork, type QemuNetwork } from './network/network-option.ts';

/** Options of `createQemuDriver`. */
export interface QemuDriverOptions {
  /** Program to start. @default `qemu-system-x86_64` or `qemu-system-aarch64`, as the image asks, found by PATH */
  readonly binary?: string;
  /**
   * Folder for what lives and dies with processes: machines, marks, overlays; made with mode 0700.
   * @default `warmvm/qemu` below `XDG_STATE_HOME`, or below `~/.local/state`
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
   * User that QEMU runs as when this process is root; `root` keeps root. What the guest is made from must be readable to it.
   * @default the first of warmvm, libvirt-qemu, qemu and nobody that exists
   */
  readonly user?: string;
  /** Delegated cgroup (version 2), as an absolute path, in which each machine gets one. @default the nearest that belongs to this user */
  readonly cgroup?: string;
  /** Most that a tenant may write to the disk; more is an error in the guest. Sparse. @default 2147483648 */
  readonly maxOverlayBytes?: number;
  /** Golden snapshots that nobody uses are removed above this, the longest unused first. @default 10737418240 */
  readonly maxCacheBytes?: number;
  /**
   * What the network card of machines is plugged into; part of what a golden snapshot is known by.
   * @default as the image asks: no card, or a user network in which the guest reaches what QEMU's user reaches
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
  extends Required<Omit<QemuDriverOptions, 'binary' | 'stateDirectory' | 'user' | 'cgroup' | 'network'>> {
  readonly binary: string | undefined;
  readonly stateDirectory: string | undefined;
  readonly user: string | undefined;
  readonly cgroup: string | undefined;
  readonly network: ParsedNetwork | undefined;
}

/**
 * Checks and completes the options.
 * @throws TypeError, RangeError naming the option, its value and what was expected
 */
export function parseOptions(options: QemuDriverOptions): ParsedOptions {
  const parsed: ParsedOptions = {
    binary: options.binary,
    stateDirectory: options.stateDirectory,
    user: options.user,
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
  requireText('binary', parsed.binary, /^[\w./+-]{1,200}$/, 'the name or path of a program');
  requireText('stateDirectory', parsed.stateDirectory, /^\/[\w./@+-]{1,64}$/, 'an absolute path of at most 65 letters');
  if (!['auto', 'kvm', 'hvf', 'tcg'].includes(parsed.acceleration)) {
    throw new RangeError(`options.acceleration is '${parsed.acceleration}', expected one of auto, kvm, hvf, tcg`);
  }
  if (typeof parsed.keepGoldens !== 'boolean') {
    throw new TypeError(`options.keepGoldens is ${typeof parsed.keepGoldens}, expected a boolean`);
  }
  requireText('user', parsed.user, /^[A-Za-z_][\w.-]{0,31}\$?$/, 'the name of a user');
  requireText('cgroup', parsed.cgroup, /^\/[\w./@:+-]{1,400}$/, 'an absolute path');
  requireInteger('maxOverlayBytes', parsed.maxOverlayBytes, 2 ** 20, 2 ** 44);
  requireInteger('maxCacheBytes', parsed.maxCacheBytes, 0, 2 ** 50);
  requireInteger('standby', parsed.standby, 0, 64);
  requireInteger('concurrentForks', parsed.concurrentForks, 1, 64);
  requireInteger('bootTimeoutMs', parsed.bootTimeoutMs, 1_000, 3_600_000);
  requireInteger('startTimeoutMs', parsed.startTimeoutMs, 100, 600_000);
  requireInteger('agentTimeoutMs', parsed.agentTimeoutMs, 100, 600_000);
  requireInteger('clockToleranceMs', parsed.clockToleranceMs, 1, 60_000);
  return parsed;
}

function requireText(name: string, value: unknown, pattern: RegExp, expected: string): void {
  if (value === undefined) return;
  if (typeof value !== 'string') throw new TypeError(`options.${name} is ${typeof value}, expected ${expected}`);
  if (!pattern.test(value)) throw new RangeError(`options.${name} is '${value}', expected ${expected}`);
}

function requireInteger(name: string, value: unknown, minimum: number, maximum: number): void {
  if (typeof value !== 'number') throw new TypeError(`options.${name} is ${typeof value}, expected a number`);
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  throw new RangeError(`options.${name} is ${value}, expected a whole number from ${minimum} to ${maximum}`);
}
