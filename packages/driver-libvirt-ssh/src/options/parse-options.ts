import { type Clock, checkOptions, systemClock } from '@warmvm/core/driver';
import type { DaemonMode } from '@warmvm/libvirt';
import { systemSockets } from '../ways/sockets.ts';
import type { SshOptions, SshWay } from './options.ts';
import { ALL_WAYS, SSH_RULES } from './rules.ts';
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
  /** Where paths of the ssh configuration begin that are not absolute. @default the folder of this process */
  readonly workingFolder?: string | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly keepaliveIntervalMs: number | undefined;
  readonly keepaliveCount: number | undefined;
  readonly maxConnections: number;
  readonly clock: Clock;
}

/**
 * Checks the options, those of the URI included, and completes what needs no look at a file.
 * @throws TypeError, RangeError naming the option, its value and what was expected
 */
export function parseSshOptions(options: SshOptions): ParsedSshOptions {
  checkOptions(options, SSH_RULES);
  const uri = options.uri === undefined ? undefined : parseSshUri(options.uri);
  const from = uri?.options ?? {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || options[name as keyof SshOptions] === undefined) continue;
    throw new TypeError(`options.${name} is given beside options.uri, which says it too; leave one of them out`);
  }
  const given: SshOptions = { ...options, ...from };
  const { host, port, user, netcat, socketPath } = given;
  if (host === undefined) throw new TypeError('options.host or options.uri expected, got neither');
  // Also what the URI says of them.
  checkOptions(given, SSH_RULES);
  const mode = uri?.mode ?? 'auto';
  const isSession = uri?.isSession ?? false;
  const { agent, identitiesOnly, authMethods } = given;
  const { sshConfig = true } = given;
  const proxyJump = typeof given.proxyJump === 'string' ? given.proxyJump.split(',') : given.proxyJump;
  const driver = uri?.driver ?? 'qemu';
  const sockets = socketPath === undefined ? (isSession ? [] : systemSockets(driver, mode)) : [socketPath];
  return {
    host,
    port,
    user,
    driver,
    driverUri: uri?.driverUri ?? 'qemu:///system',
    isBatch: uri?.isBatch ?? false,
    ways: waysFor(given, { isSession, mode }),
    sockets,
    netcat,
    keyFiles: listOf(given.keyFile),
    knownHosts: listOf(given.knownHosts),
    hostKeys: given.hostKeys,
    proxyJump,
    sshConfig,
    agent,
    identitiesOnly,
    authMethods,
    passphrase: given.passphrase,
    password: given.password,
    keyboardInteractive: given.keyboardInteractive,
    connectTimeoutMs: given.connectTimeoutMs,
    keepaliveIntervalMs: given.keepaliveIntervalMs,
    keepaliveCount: given.keepaliveCount,
    maxConnections: given.maxConnections ?? 4,
    clock: given.clock ?? systemClock,
  } as ParsedSshOptions;
}

function waysFor(
  { way = 'auto', socketPath, netcat }: SshOptions,
  { isSession, mode }: { readonly isSession: boolean; readonly mode: DaemonMode },
): readonly SshWay[] {
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

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value;
}
