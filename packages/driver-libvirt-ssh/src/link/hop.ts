import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type ConfigPlace, type HostConfig, hostConfig } from '../config/host-config.ts';
import { namesOf } from '../known-hosts/verdict.ts';
import type { SshAuthMethod } from '../options/options.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { sshError } from '../problem.ts';

/** One ssh connection to make: to the host itself, or to one on the way to it. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Names in the files of known hosts; the first is the one to write down. */
  readonly names: readonly string[];
  /** The first is the one to write to. */
  readonly knownHostsFiles: readonly string[];
  readonly hostKeys: 'strict' | 'accept-new';
  readonly hashKnownHosts: boolean;
  /** `isNamed`: somebody named it, so it is a fault when it is not there. */
  readonly identityFiles: readonly { readonly path: string; readonly isNamed: boolean }[];
  readonly identitiesOnly: boolean;
  /** Socket of an agent. */
  readonly agent: string | undefined;
  readonly authMethods: readonly SshAuthMethod[];
  readonly isBatch: boolean;
  readonly connectTimeoutMs: number;
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCount: number;
}

const DEFAULT_KEYS = ['id_rsa', 'id_ecdsa', 'id_ed25519'];
const GLOBAL_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];
/** As OpenSSH orders them. */
const AUTH_METHODS: readonly SshAuthMethod[] = ['publickey', 'keyboard-interactive', 'password'];
/** A longer way is a configuration that leads back to itself. */
const MOST_HOPS = 8;

interface Destination {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** Undefined leaves the way to the ssh configuration. */
  readonly proxyJump?: readonly string[] | undefined;
}

/** Every connection to make, in order; the last one is to the host itself. @throws WARMVM_NOT_SUPPORTED */
export async function resolveHops(options: ParsedSshOptions, place: ConfigPlace): Promise<readonly Hop[]> {
  const { host, port, user, proxyJump } = options;
  return wayTo({ host, port, user, proxyJump }, options, place, MOST_HOPS);
}

async function wayTo(
  destination: Destination,
  options: ParsedSshOptions,
  place: ConfigPlace,
  left: number,
): Promise<readonly Hop[]> {
  if (left === 0) {
    throw sshError('config-not-supported', `the way to ${options.host} has more than ${MOST_HOPS} hosts on it`, {
      remedy: 'look for a ProxyJump that leads back to itself',
    });
  }
  const config = await hostConfig(place, destination.host, destination.user);
  const jumps = (destination.proxyJump ?? config.proxyJump ?? []).map(parseJump);
  const last = jumps.at(-1);
  const before =
    last === undefined
      ? []
      : await wayTo(
          { ...last, ...(jumps.length > 1 ? { proxyJump: textsOf(jumps.slice(0, -1)) } : {}) },
          options,
          place,
          left - 1,
        );
  return [...before, hopTo(destination, config, options, place)];
}

function hopTo(destination: Destination, config: HostConfig, options: ParsedSshOptions, place: ConfigPlace): Hop {
  const host = config.hostName ?? destination.host;
  const port = destination.port ?? config.port ?? 22;
  const home = (path: string): string => path.replace(/^~(?=\/)/, place.home);
  const named = [...(options.keyFiles ?? []).map(home), ...(config.identityFiles ?? [])];
  const own = config.userKnownHostsFiles ?? [
    join(place.home, '.ssh/known_hosts'),
    join(place.home, '.ssh/known_hosts2'),
  ];
  return {
    host,
    port,
    user: destination.user ?? config.user ?? userInfo().username,
    names: namesOf(host, port, config.hostKeyAlias),
    knownHostsFiles: options.knownHosts?.map(home) ?? [...own, ...(config.globalKnownHostsFiles ?? GLOBAL_KNOWN_HOSTS)],
    hostKeys: options.hostKeys ?? config.hostKeys ?? 'strict',
    hashKnownHosts: config.hashKnownHosts,
    identityFiles:
      named.length > 0
        ? named.map((path) => ({ path, isNamed: true }))
        : DEFAULT_KEYS.map((name) => ({ path: join(place.home, '.ssh', name), isNamed: false })),
    identitiesOnly: options.identitiesOnly ?? config.identitiesOnly ?? false,
    agent: agentOf(options.agent ?? config.identityAgent ?? place.environment.SSH_AUTH_SOCK),
    authMethods: options.authMethods ?? AUTH_METHODS,
    isBatch: options.isBatch || config.isBatch,
    connectTimeoutMs: options.connectTimeoutMs ?? config.connectTimeoutMs ?? 20_000,
    keepaliveIntervalMs: options.keepaliveIntervalMs ?? config.keepaliveIntervalMs ?? 5_000,
    keepaliveCount: options.keepaliveCount ?? config.keepaliveCount ?? 3,
  };
}

function agentOf(agent: string | false | undefined): string | undefined {
  return agent === false || agent === '' ? undefined : agent;
}

function parseJump(text: string): Destination {
  const trimmed = text
    .trim()
    .replace(/^ssh:\/\//, '')
    .replace(/\/$/, '');
  const found = /^(?:(?<user>[^@\s]+)@)?(?<host>\[[^\]\s]+\]|[^:@\s/-][^:@\s/]*)(?::(?<port>\d{1,5}))?$/.exec(
    trimmed,
  )?.groups;
  const port = found?.port === undefined ? undefined : Number(found.port);
  if (found?.host === undefined || port === 0 || (port ?? 0) > 65_535) {
    throw sshError('config-not-supported', `${JSON.stringify(text)} is no host on the way`, {
      remedy: 'write user@host:port in proxyJump',
    });
  }
  return { host: found.host.replace(/^\[|\]$/g, ''), port, user: found.user };
}

function textsOf(jumps: readonly Destination[]): readonly string[] {
  return jumps.map(({ host, port, user }) => {
    const name = host.includes(':') ? `[${host}]` : host;
    return `${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}`;
  });
}
