import { availableParallelism } from 'node:os';
import { type Clock, systemClock } from '@warmvm/core/driver';
import type { Dial } from '@warmvm/libvirt';

/** Options of `createLibvirtDriver`. */
export interface LibvirtDriverOptions {
  /** Which hypervisor of the daemon. @default 'qemu:///system' */
  readonly uri?: string;
  /** How the daemon's socket is reached. @default the local socket that libvirt itself would choose for `uri` */
  readonly dial?: Dial;
  /** Storage pool (directory type) for everything the driver makes. @default 'warmvm' */
  readonly storagePool?: string;
  /**
   * Directory on the host for the pool when it does not exist yet; the driver that made the pool removes it with its last
   * volume. A directory on tmpfs makes forks several times faster and costs about 100 MB of memory a machine.
   * @default '/var/lib/libvirt/images/warmvm'
   */
  readonly storagePath?: string;
  /** `auto` takes KVM only where it can really run guests. @default 'auto' */
  readonly acceleration?: 'auto' | 'kvm' | 'tcg';
  /**
   * `in-place` loads the snapshot into the running QEMU over its monitor, and falls back to libvirt's own revert when
   * that is refused; `revert` always takes libvirt's own, which starts a new QEMU. @default 'in-place'
   */
  readonly reset?: 'in-place' | 'revert';
  /**
   * `channel` speaks to the guest agent over a stream of its own, `libvirt` lets the daemon do it; `auto` takes `channel`
   * where libvirt is 8.2 or newer. @default 'auto'
   */
  readonly agentTransport?: 'auto' | 'channel' | 'libvirt';
  /**
   * A small process that outlives this one and removes from the host what this driver left when it was killed.
   * @default true for a local socket, false with `dial`
   */
  readonly guardian?: boolean;
  /**
   * Connections to the daemon at most: two, one for each machine, and one for each upload. A daemon with more clients than its own
   * `max_clients` (5000 by default) goes silent. @default 1000
   */
  readonly maxClients?: number;
  /** Calls in flight on one connection; with its own `max_client_requests` (5 by default) a daemon reads no further. @default 4 */
  readonly maxClientRequests?: number;
  /** Forks at a time. @default twice the number of CPUs here and one more, at most 8: a fork waits half of its time */
  readonly concurrentForks?: number;
  /** Bound for one boot of a golden image until its agent answers. @default 120000 */
  readonly bootTimeoutMs?: number;
  /** Bound for the agent to answer and to renew after a fork or reset. @default 15000 */
  readonly agentTimeoutMs?: number;
  /** Largest growth of a machine's disk and memory state above the image's memory size, sparse. @default 2147483648 */
  readonly maxOverlayBytes?: number;
  /** Difference between the guest's clock and ours that is accepted after it was set. @default 1000 */
  readonly clockToleranceMs?: number;
  /** Whether files of an image are read back from the host and held against their digests, once for each golden snapshot. @default true */
  readonly verifyUploads?: boolean;
  /** Bound for one connection to the daemon, dialling included. @default 10000 */
  readonly connectTimeoutMs?: number;
  /**
   * How long a connection that broke is tried to be made anew before the host counts as lost and every machine with it; 0 for not at
   * all. @default 5000
   */
  readonly reconnectMs?: number;
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export interface ParsedOptions extends Required<Omit<LibvirtDriverOptions, 'dial'>> {
  readonly dial: Dial | undefined;
}

const DEFAULT_STORAGE_PATH = '/var/lib/libvirt/images/warmvm';

/**
 * Checks and completes the options.
 * @throws TypeError, RangeError naming the option, its value and what was expected
 */
export function parseOptions(options: LibvirtDriverOptions): ParsedOptions {
  const parsed: ParsedOptions = {
    uri: options.uri ?? 'qemu:///system',
    dial: options.dial,
    storagePool: options.storagePool ?? 'warmvm',
    storagePath: options.storagePath ?? DEFAULT_STORAGE_PATH,
    acceleration: options.acceleration ?? 'auto',
    reset: options.reset ?? 'in-place',
    agentTransport: options.agentTransport ?? 'auto',
    guardian: options.guardian ?? options.dial === undefined,
    maxClients: options.maxClients ?? 1_000,
    maxClientRequests: options.maxClientRequests ?? 4,
    concurrentForks: options.concurrentForks ?? Math.min(8, 2 * availableParallelism() + 1),
    bootTimeoutMs: options.bootTimeoutMs ?? 120_000,
    agentTimeoutMs: options.agentTimeoutMs ?? 15_000,
    maxOverlayBytes: options.maxOverlayBytes ?? 2 ** 31,
    clockToleranceMs: options.clockToleranceMs ?? 1_000,
    verifyUploads: options.verifyUploads ?? true,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    reconnectMs: options.reconnectMs ?? 5_000,
    clock: options.clock ?? systemClock,
  };
  requireText(
    'uri',
    parsed.uri,
    /^[a-z+]+:\/\/\/[\w./?=&%-]*$/,
    "a libvirt URI without a host, such as 'qemu:///system'",
  );
  requireText('storagePool', parsed.storagePool, /^[\w.-]{1,64}$/, 'letters, digits, "-", "_" and ".", at most 64');
  requireText('storagePath', parsed.storagePath, /^\/[\w./-]{1,200}$/, 'an absolute path');
  requireOneOf('acceleration', parsed.acceleration, ['auto', 'kvm', 'tcg']);
  requireOneOf('reset', parsed.reset, ['in-place', 'revert']);
  requireOneOf('agentTransport', parsed.agentTransport, ['auto', 'channel', 'libvirt']);
  requireInteger('maxClients', parsed.maxClients, 3, 100_000);
  requireInteger('maxClientRequests', parsed.maxClientRequests, 1, 1_000);
  requireInteger('concurrentForks', parsed.concurrentForks, 1, 64);
  requireInteger('bootTimeoutMs', parsed.bootTimeoutMs, 1_000, 3_600_000);
  requireInteger('agentTimeoutMs', parsed.agentTimeoutMs, 100, 600_000);
  requireInteger('maxOverlayBytes', parsed.maxOverlayBytes, 2 ** 24, 2 ** 40);
  requireInteger('clockToleranceMs', parsed.clockToleranceMs, 1, 60_000);
  if (typeof parsed.verifyUploads !== 'boolean') {
    throw new TypeError(`options.verifyUploads is ${typeof parsed.verifyUploads}, expected true or false`);
  }
  requireInteger('connectTimeoutMs', parsed.connectTimeoutMs, 100, 3_600_000);
  requireInteger('reconnectMs', parsed.reconnectMs, 0, 3_600_000);
  if (parsed.dial !== undefined && typeof parsed.dial !== 'function') {
    throw new TypeError(`options.dial is ${typeof parsed.dial}, expected a function that opens a Duplex`);
  }
  if (parsed.guardian && parsed.dial !== undefined) {
    throw new TypeError(
      'options.guardian cannot be true with options.dial: a function cannot be given to another process',
    );
  }
  return parsed;
}

function requireText(name: string, value: unknown, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string') throw new TypeError(`options.${name} is ${typeof value}, expected ${expected}`);
  if (!pattern.test(value)) throw new RangeError(`options.${name} is '${value}', expected ${expected}`);
}

function requireOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'string' || !allowed.includes(value)) {
    throw new RangeError(`options.${name} is '${String(value)}', expected one of ${allowed.join(', ')}`);
  }
}

function requireInteger(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number') throw new TypeError(`options.${name} is ${typeof value}, expected a number`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`options.${name} is ${value}, expected a whole number from ${least} to ${most}`);
  }
}
