import { type Clock, systemClock } from '@warmvm/core/driver';
import type { DaemonMode } from '@warmvm/libvirt';
import { quoteArgument } from '../ways/remote-command.ts';
import { systemSockets } from '../ways/sockets.ts';
import type { SshAuthMethod, SshOptions, SshWay } from './options.ts';
import { parseSshUri } from './uri.ts';

/** Where to, with which secrets, and what was left open for the ssh configuration to say. */
export interface ParsedSshOptions
  extends Pick<
    SshOptions,
    'passphrase' | 'password' | 'keyboardInteractive' | 'identitiesOnly' | 'agent' | 'authMethods'
  > {
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly driver: string;
  /** What the daemon gets to see. */
  readonly driverUri: string;
  readonly isBatch: boolean;
  /** The ways to try, in this order. */
  readonly ways: readonly SshWay[];
  /** Sockets to try, in this order; none where only the helper knows. */
  readonly sockets: readonly string[];
  readonly netcat: string | undefined;
  readonly keyFiles: readonly string[] | undefined;
  readonly knownHosts: readonly string[] | undefined;
  readonly hostKeys: 'strict' | 'accept-new' | undefined;
  readonly proxyJump: readonly string[] | undefined;
  readonly sshConfig: boolean | string;
  readonly connectTimeoutMs: number | undefined;
  readonly keepaliveIntervalMs: number | undefined;
  readonly keepaliveCount: number | undefined;
  readonly maxConnections: number;
  readonly clock: Clock;
}

const ALL_WAYS: readonly SshWay[] = ['streamlocal', 'helper', 'netcat'];
const AUTH_METHODS: readonly SshAuthMethod[] = ['publickey', 'agent', 'keyfile', 'keyboard-interactive', 'password'];
/** What `sockaddr_un` holds, without the zero at its end. */
const LONGEST_SOCKET_PATH = 107;

/**
 * Checks the options, those of the URI included, and completes what needs no look at a file.
 * @throws TypeError, RangeError naming the option, its value and what was expected
 */
export function parseSshOptions(options: SshOptions): ParsedSshOptions {
  const uri = options.uri === undefined ? undefined : parseSshUri(requireString('uri', options.uri));
  const from = uri?.options ?? {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || options[name as keyof SshOptions] === undefined) continue;
    throw new TypeError(`options.${name} is given beside options.uri, which says it too; leave one of them out`);
  }
  const given: SshOptions = { ...options, ...from };
  const { host, port, user, netcat, socketPath } = given;
  if (host === undefined) throw new TypeError('options.host or options.uri expected, got neither');
  requireName('host', host);
  if (user !== undefined) requireName('user', user);
  if (netcat !== undefined) requireArgument('netcat', netcat);
  if (socketPath !== undefined) requireSocket(socketPath);
  const mode = uri?.mode ?? 'auto';
  const isSession = uri?.isSession ?? false;
  const { agent, identitiesOnly, authMethods } = given;
  if (agent !== undefined && agent !== false) requireString('agent', agent);
  requireOptional('identitiesOnly', identitiesOnly, 'boolean');
  for (const method of authMethods ?? []) requireOneOf('authMethods', method, AUTH_METHODS);
  for (const name of ['passphrase', 'password', 'keyboardInteractive'] as const)
    requireOptional(name, given[name], 'function');
  const { sshConfig = true } = given;
  if (typeof sshConfig !== 'boolean') requireString('sshConfig', sshConfig);
  if (given.hostKeys !== undefined) requireOneOf('hostKeys', given.hostKeys, ['strict', 'accept-new']);
  const proxyJump = typeof given.proxyJump === 'string' ? given.proxyJump.split(',') : given.proxyJump;
  for (const hop of proxyJump ?? []) requireString('proxyJump', hop);
  const driver = uri?.driver ?? 'qemu';
  const sockets = socketPath === undefined ? (isSession ? [] : systemSockets(driver, mode)) : [socketPath];
  return {
    host,
    port: optionalInteger('port', port, 1, 65_535),
    user,
    driver,
    driverUri: uri?.driverUri ?? 'qemu:///system',
    isBatch: uri?.isBatch ?? false,
    ways: waysFor(given, { isSession, mode }),
    sockets,
    netcat,
    keyFiles: optionalList('keyFile', given.keyFile),
    knownHosts: optionalList('knownHosts', given.knownHosts),
    hostKeys: given.hostKeys,
    proxyJump,
    sshConfig,
    agent,
    identitiesOnly,
    authMethods,
    passphrase: given.passphrase,
    password: given.password,
    keyboardInteractive: given.keyboardInteractive,
    connectTimeoutMs: optionalInteger('connectTimeoutMs', given.connectTimeoutMs, 100, 600_000),
    keepaliveIntervalMs: optionalInteger('keepaliveIntervalMs', given.keepaliveIntervalMs, 100, 600_000),
    keepaliveCount: optionalInteger('keepaliveCount', given.keepaliveCount, 1, 100),
    maxConnections: optionalInteger('maxConnections', given.maxConnections, 1, 64) ?? 4,
    clock: given.clock ?? systemClock,
  } as ParsedSshOptions;
}

function waysFor(
  { way = 'auto', socketPath, netcat }: SshOptions,
  { isSession, mode }: { readonly isSession: boolean; readonly mode: DaemonMode },
): readonly SshWay[] {
  requireOneOf('way', way, ['auto', ...ALL_WAYS]);
  if (netcat !== undefined && way !== 'auto' && way !== 'netcat') {
    throw new TypeError(`options.netcat is given, but options.way is '${way}'; leave one of them out`);
  }
  if (way === 'helper' && socketPath !== undefined) {
    throw new TypeError(
      "options.socketPath is given, but the way 'helper' (proxy=native) finds the socket itself; leave one of them out",
    );
  }
  if (way === 'helper' && mode !== 'auto') {
    throw new TypeError(
      `mode=${mode} is given, but the way 'helper' (proxy=native) finds the daemon itself; leave one of them out`,
    );
  }
  if (isSession && socketPath === undefined && way !== 'helper' && way !== 'auto') {
    throw new TypeError(
      `the way '${way}' to a session daemon needs socket=PATH: only virt-ssh-helper knows where that listens`,
    );
  }
  if (netcat !== undefined) return ['netcat'];
  if (way !== 'auto') return [way];
  if (isSession && socketPath === undefined) return ['helper'];
  return socketPath === undefined && mode === 'auto' ? ALL_WAYS : ['streamlocal', 'netcat'];
}

/** Names go to the far end or into messages; a dash at the beginning never means a host or a user. */
function requireName(name: string, value: unknown): void {
  const text = requireString(name, value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that they are refused is the point
  if (/^-|[\u0000-\u0020\u007f/@]/.test(text) || text.length > 255) {
    throw new RangeError(
      `options.${name} is ${JSON.stringify(text)}, expected a ${name} name without spaces, '/', '@' and control characters`,
    );
  }
}

function requireArgument(name: string, value: unknown): void {
  const text = requireString(name, value);
  if (text.startsWith('-'))
    throw new RangeError(`options.${name} is ${JSON.stringify(text)}, expected no dash at the beginning`);
  quoteArgument(text);
}

function requireSocket(value: unknown): void {
  const path = requireString('socketPath', value);
  if (!path.startsWith('/') || Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    throw new RangeError(
      `options.socketPath is ${JSON.stringify(path)}, expected an absolute path of at most ${LONGEST_SOCKET_PATH} bytes`,
    );
  }
  quoteArgument(path);
}

function requireString(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`options.${name} is ${value === '' ? 'empty' : typeof value}, expected a text`);
  }
  if (value.includes('\0')) throw new RangeError(`options.${name} holds a zero byte, expected none`);
  return value;
}

function requireOptional(name: string, value: unknown, type: 'boolean' | 'function'): void {
  if (value !== undefined && typeof value !== type) {
    throw new TypeError(`options.${name} is ${typeof value}, expected a ${type}`);
  }
}

function requireOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'string' || !allowed.includes(value)) {
    throw new RangeError(`options.${name} is '${String(value)}', expected one of ${allowed.join(', ')}`);
  }
}

function optionalList(name: string, value: string | readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || list.length === 0)
    throw new TypeError(`options.${name} is empty, expected one path or more`);
  return list.map((path) => requireString(name, path));
}

function optionalInteger(name: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw new TypeError(`options.${name} is ${typeof value}, expected a number`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`options.${name} is ${value}, expected a whole number from ${least} to ${most}`);
  }
  return value;
}
