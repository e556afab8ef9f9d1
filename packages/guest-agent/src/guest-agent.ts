import { type CallOptions, type Clock, type Guest, systemClock } from '@warmvm/core/driver';
import { AgentCaller, type AgentCallOptions } from './agent-caller.ts';
import type { AgentChannel } from './channel.ts';
import { LONGEST_TIMEOUT_MS, requireInteger } from './check.ts';
import { GuestCommands } from './guest-commands.ts';
import { GuestFiles } from './guest-files.ts';
import { type GuestInterface, networkInterfaces } from './network-interfaces.ts';
import { obtain } from './obtain.ts';
import { asArray, asBoolean, asCount, asObject, asText, type Decode, Malformed } from './reply.ts';

const DEFAULT_REPLY_TIMEOUT_MS = 5000;
/** Of `replyTimeoutMs`. */
const CLEANUP_SHARE = 0.4;
const DEFAULT_CHUNK_BYTES = 262_144;
/** Base64 makes 2.8 MB of it; libvirt carries texts of less than 4 MiB. */
const LARGEST_CHUNK_BYTES = 2_097_152;
/** Freezing waits for dirty pages to be written. In times of `replyTimeoutMs`: one minute by default. */
const FREEZE_FACTOR = 12;
/** Latest moment that a JavaScript Date can hold. */
const LATEST_TIME_MS = 8.64e15;
const NANOSECONDS_PER_MS = 1_000_000;

/** Options of {@link createGuestAgent}. */
export interface GuestAgentOptions {
  /** @default systemClock */
  readonly clock?: Clock;
  /**
   * Longest wait for one answer of the agent, from 1. Every other wait for the guest follows it: the look at a program, which brings
   * its output, may take 4 times as long, freezing and thawing 12 times. Not the time a program may run: see `ExecOptions.timeoutMs`. @default 5000
   */
  readonly replyTimeoutMs?: number;
  /** What errors call the option above: the name under which your own users set it. @default 'replyTimeoutMs' */
  readonly replyTimeoutOption?: string;
  /**
   * How long killing or closing what an aborted call had begun may keep it from rejecting, from 1.
   * @default two fifths of `replyTimeoutMs`: 2000
   */
  readonly cleanupTimeoutMs?: number;
  /** Bytes of a file that go in one command, from 1 to 2097152. @default 262144 */
  readonly chunkBytes?: number;
}

/** What an agent says of itself. */
export interface AgentInfo {
  readonly version: string;
  /** Every command it knows, and whether it may be used. */
  readonly commands: readonly { readonly name: string; readonly enabled: boolean }[];
}

/** What `/etc/os-release` and uname say; all of it optional. */
export interface GuestOsInfo {
  readonly id?: string;
  readonly name?: string;
  readonly prettyName?: string;
  readonly version?: string;
  readonly versionId?: string;
  readonly machine?: string;
  readonly kernelRelease?: string;
  readonly kernelVersion?: string;
}

/** The QEMU guest agent in one machine. A `Guest` of the driver contract, and what else drivers need. */
export interface GuestAgent extends Guest {
  /** The option of that name. */
  readonly replyTimeoutMs: number;
  info(options?: CallOptions): Promise<AgentInfo>;
  /** Sets the guest's clock. @param timeMs milliseconds since the Unix epoch @throws RangeError for what is no moment */
  setTime(timeMs: number, options?: CallOptions): Promise<void>;
  /** Flushes and stops writing to file systems; resolves with how many. Abort thaws them. Until the thaw, files and exec are refused. */
  fsFreeze(options?: CallOptions): Promise<number>;
  /** Resolves with how many file systems were thawed. */
  fsThaw(options?: CallOptions): Promise<number>;
  fsFreezeStatus(options?: CallOptions): Promise<'thawed' | 'frozen'>;
  hostName(options?: CallOptions): Promise<string>;
  osInfo(options?: CallOptions): Promise<GuestOsInfo>;
  networkInterfaces(options?: CallOptions): Promise<readonly GuestInterface[]>;
}

/**
 * Makes the client of a guest agent. The channel stays the caller's: to dispose it is the caller's part.
 * @throws RangeError for a bad option
 */
export function createGuestAgent(channel: AgentChannel, options: GuestAgentOptions = {}): GuestAgent {
  const {
    clock = systemClock,
    replyTimeoutMs = DEFAULT_REPLY_TIMEOUT_MS,
    replyTimeoutOption = 'replyTimeoutMs',
    cleanupTimeoutMs = Math.ceil(replyTimeoutMs * CLEANUP_SHARE),
    chunkBytes = DEFAULT_CHUNK_BYTES,
  } = options;
  requireInteger('replyTimeoutMs', replyTimeoutMs, 1, LONGEST_TIMEOUT_MS);
  requireInteger('cleanupTimeoutMs', cleanupTimeoutMs, 1, LONGEST_TIMEOUT_MS);
  requireInteger('chunkBytes', chunkBytes, 1, LARGEST_CHUNK_BYTES);
  const caller = new AgentCaller(channel, clock, { replyTimeoutMs, replyTimeoutOption, cleanupTimeoutMs });
  const files = new GuestFiles(caller, chunkBytes);
  const commands = new GuestCommands(caller, files);
  const ask = <T>(command: string, decode: Decode<T>, askOptions?: AgentCallOptions): Promise<T> =>
    caller.call(command, undefined, decode, askOptions);
  return {
    replyTimeoutMs,
    ping: (callOptions) => ask('guest-ping', () => {}, callOptions),
    exec: (command, execOptions) => commands.run(command, execOptions),
    readFile: (path, readOptions) => files.read(path, readOptions),
    writeFile: (path, content, writeOptions) => files.write(path, content, writeOptions),
    timeMs: (callOptions) => ask('guest-get-time', decodeTime, callOptions),
    info: (callOptions) => ask('guest-info', decodeInfo, callOptions),
    setTime: (timeMs, callOptions) => setTime(caller, timeMs, callOptions),
    fsFreeze: (callOptions) => freeze(caller, callOptions),
    fsThaw: (callOptions) =>
      ask('guest-fsfreeze-thaw', decodeFileSystems, { ...callOptions, timeoutMs: freezeTimeoutMs(caller) }),
    fsFreezeStatus: (callOptions) => ask('guest-fsfreeze-status', decodeFreezeStatus, callOptions),
    hostName: (callOptions) => ask('guest-get-host-name', decodeHostName, callOptions),
    osInfo: (callOptions) => ask('guest-get-osinfo', decodeOsInfo, callOptions),
    networkInterfaces: (callOptions) => networkInterfaces(caller, callOptions),
  };
}

async function setTime(caller: AgentCaller, timeMs: number, options: CallOptions = {}): Promise<void> {
  if (!(Math.abs(timeMs) <= LATEST_TIME_MS)) {
    throw new RangeError(`timeMs must be milliseconds since the Unix epoch, not ${String(timeMs)}`);
  }
  // Nanoseconds of our days are beyond what a JavaScript number holds exactly.
  const nanoseconds = BigInt(Math.round(timeMs * 1000)) * 1000n;
  await caller.call('guest-set-time', `{"time":${nanoseconds}}`, () => {}, options);
}

function freezeTimeoutMs({ replyTimeoutMs }: AgentCaller): number {
  return Math.min(replyTimeoutMs * FREEZE_FACTOR, LONGEST_TIMEOUT_MS);
}

function freeze(caller: AgentCaller, { signal }: CallOptions = {}): Promise<number> {
  const call = (command: string): Promise<number> =>
    caller.call(command, undefined, decodeFileSystems, { timeoutMs: freezeTimeoutMs(caller) });
  return obtain(
    caller,
    () => call('guest-fsfreeze-freeze'),
    () => call('guest-fsfreeze-thaw'),
    signal,
  );
}

function decodeTime(value: unknown): number {
  const timeMs = typeof value === 'number' ? value / NANOSECONDS_PER_MS : Number.NaN;
  if (!(Math.abs(timeMs) <= LATEST_TIME_MS)) throw new Malformed('the time is not a moment in nanoseconds');
  return timeMs;
}

function decodeInfo(value: unknown): AgentInfo {
  const fields = asObject(value, 'return');
  const commands = asArray(fields.supported_commands, 'supported_commands').map((entry) => {
    const command = asObject(entry, 'a supported command');
    return { name: asText(command.name, 'name'), enabled: asBoolean(command.enabled, 'enabled') };
  });
  return { version: asText(fields.version, 'version'), commands };
}

function decodeFileSystems(value: unknown): number {
  return asCount(value, 'the number of file systems');
}

function decodeFreezeStatus(value: unknown): 'thawed' | 'frozen' {
  if (value === 'thawed' || value === 'frozen') return value;
  throw new Malformed('the status is neither thawed nor frozen');
}

function decodeHostName(value: unknown): string {
  return asText(asObject(value, 'return')['host-name'], 'host-name');
}

function decodeOsInfo(value: unknown): GuestOsInfo {
  const fields = asObject(value, 'return');
  const info: Record<string, string> = {};
  for (const [key, name] of OS_INFO_FIELDS) {
    if (fields[name] !== undefined) info[key] = asText(fields[name], name);
  }
  return info;
}

const OS_INFO_FIELDS: readonly (readonly [keyof GuestOsInfo, string])[] = [
  ['id', 'id'],
  ['name', 'name'],
  ['prettyName', 'pretty-name'],
  ['version', 'version'],
  ['versionId', 'version-id'],
  ['machine', 'machine'],
  ['kernelRelease', 'kernel-release'],
  ['kernelVersion', 'kernel-version'],
];
