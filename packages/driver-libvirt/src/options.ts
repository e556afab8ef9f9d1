import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path/posix';
import {
  aClock,
  aFunction,
  type Clock,
  checkedBy,
  checkOptions,
  type OptionRules,
  objectOf,
  oneOf,
  optionMistake,
  systemClock,
  textLike,
  trueOrFalse,
  wholeNumber,
} from '@warmvm/core/driver';
import type { Dial } from '@warmvm/libvirt';
import type { GuardianProgram } from './guardian.ts';

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
   * A small process that outlives this one and removes from the host what this driver left when it was killed. With `dial` it has to be a
   * program that knows the way by itself. A bundled program names a file of its own that calls `runGuardian` by a `file:` URL.
   * @default true for a local socket, false with `dial`
   */
  readonly guardian?: boolean | URL | GuardianProgram;
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
  /**
   * Lets images with `network: 'user'` be made: QEMU's user network reaches whatever listens on the loopback address of the daemon's host.
   * Without it `prepare` rejects them. @default false
   */
  readonly hostLoopback?: boolean;
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

const programRules: OptionRules<GuardianProgram> = {
  module: checkedBy((name, value) => {
    if (!(value instanceof URL)) throw optionMistake(TypeError, name, value, 'a URL');
  }),
  way: checkedBy(() => {}),
  giveUpMs: wholeNumber(1_000, 86_400_000),
  isOptional: trueOrFalse,
};

/** The longest path that a volume's name still fits behind. */
const MAX_PATH_CHARS = 1_024;

/** Any absolute path that XML can carry: libvirt is given it in a document. */
const absolutePath = checkedBy(
  (name, value) => {
    const expected = `an absolute path of at most ${MAX_PATH_CHARS} characters, without control characters and ".."`;
    if (typeof value !== 'string') throw optionMistake(TypeError, name, value, expected);
    const isLegal = isAbsolute(value) && value.length <= MAX_PATH_CHARS && isText(value);
    if (!isLegal || value.split('/').includes('..')) throw optionMistake(RangeError, name, value, expected);
  },
  { type: 'string' },
);

/** Whether a document can carry these characters. */
function isText(value: string): boolean {
  return value.isWellFormed() && [...value].every((char) => char >= ' ' && !UNWANTED.has(char));
}

const UNWANTED: ReadonlySet<string> = new Set(['\u007f', '\ufffe', '\uffff']);

/** A program is for drivers that know another way: a configuration has no place for one. */
const booleanOrProgram = checkedBy(
  (name, value) => {
    if (typeof value === 'boolean' || (value instanceof URL && value.protocol === 'file:')) return;
    if (typeof value !== 'object' || value instanceof URL)
      throw optionMistake(TypeError, name, value, 'true, false, a file URL or a program');
    objectOf(programRules).check(name, value);
  },
  { type: 'boolean' },
);

/** What each option may be; `optionsSchema` makes a JSON schema of it. */
export const libvirtOptionRules: OptionRules<LibvirtDriverOptions> = {
  uri: textLike(/^[a-z+]+:\/\/\/[\x21-\x7e]*$/, "a libvirt URI without a host, such as 'qemu:///system'"),
  dial: aFunction,
  storagePool: textLike(/^[\w.-]{1,64}$/, 'letters, digits, "-", "_" and ".", at most 64'),
  storagePath: absolutePath,
  acceleration: oneOf('auto', 'kvm', 'tcg'),
  reset: oneOf('in-place', 'revert'),
  agentTransport: oneOf('auto', 'channel', 'libvirt'),
  guardian: booleanOrProgram,
  maxClients: wholeNumber(3, 100_000),
  maxClientRequests: wholeNumber(1, 1_000),
  concurrentForks: wholeNumber(1, 64),
  bootTimeoutMs: wholeNumber(1_000, 3_600_000),
  agentTimeoutMs: wholeNumber(100, 600_000),
  maxOverlayBytes: wholeNumber(2 ** 24, 2 ** 40),
  clockToleranceMs: wholeNumber(1, 60_000),
  hostLoopback: trueOrFalse,
  verifyUploads: trueOrFalse,
  connectTimeoutMs: wholeNumber(100, 3_600_000),
  reconnectMs: wholeNumber(0, 3_600_000),
  clock: aClock,
};

/**
 * Checks and completes the options.
 * @throws TypeError, RangeError naming the option, its value and what was expected; TypeError for one that is unknown
 */
export function parseOptions(options: LibvirtDriverOptions): ParsedOptions {
  checkOptions(options, libvirtOptionRules);
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
    hostLoopback: options.hostLoopback ?? false,
    verifyUploads: options.verifyUploads ?? true,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    reconnectMs: options.reconnectMs ?? 5_000,
    clock: options.clock ?? systemClock,
  };
  if ((parsed.guardian === true || parsed.guardian instanceof URL) && parsed.dial !== undefined) {
    throw new TypeError(
      'options.guardian cannot be true or a URL with options.dial: a function cannot be given to another process; name a program',
    );
  }
  const isProgram = typeof parsed.guardian === 'object' && !(parsed.guardian instanceof URL);
  if (isProgram && parsed.dial === undefined) {
    throw new TypeError('options.guardian is a program, which needs options.dial');
  }
  return parsed;
}
