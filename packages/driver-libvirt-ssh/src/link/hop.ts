import { join } from 'node:path';
import { type ConfigPlace, type HostConfig, hostConfig } from '../config/host-config.ts';
import { namesOf } from '../known-hosts/verdict.ts';
import type { SshAuthMethod } from '../options/options.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { isUserName } from '../options/rules.ts';
import { sshError } from '../problem.ts';

/** One ssh connection to make: to the host itself, or to one on the way to it. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Names in the files of known hosts; the first is the one to write down. */
  readonly names: readonly string[];
  /** The name is `HostKeyAlias`, for certificates too. */
  readonly hasAlias: boolean;
  /** The first is the one to write to. */
  readonly knownHostsFiles: readonly string[];
  readonly hostKeys: 'strict' | 'accept-new';
  readonly hashKnownHosts: boolean;
  /** `isNamed`: somebody named it, so it is a fault when it is not there. */
  readonly identityFiles: readonly { readonly path: string; readonly isNamed: boolean }[];
  /** Certificates for keys that are in other files or in the agent, as `CertificateFile` names them. */
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of an agent. */
  readonly agent: string | undefined;
  readonly authMethods: readonly SshAuthMethod[];
  /** What the configuration asks for and this driver cannot do, for the message of a login that fails. */
  readonly missingMethods: readonly string[];
  readonly isBatch: boolean;
  /** Of its addresses; 0 for both. */
  readonly addressFamily: 0 | 4 | 6;
  /** Where the connection comes from. */
  readonly bindAddress: string | undefined;
  readonly connectTimeoutMs: number;
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCount: number;
}

/** As OpenSSH tries them. */
const DEFAULT_KEYS = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'];
const GLOBAL_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];
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
    user: destination.user ?? config.user ?? place.localUser(),
    names: namesOf(host, port, config.hostKeyAlias),
    hasAlias: config.hostKeyAlias !== undefined,
    knownHostsFiles: options.knownHosts?.map(home) ?? [...own, ...(config.globalKnownHostsFiles ?? GLOBAL_KNOWN_HOSTS)],
    hostKeys: options.hostKeys ?? config.hostKeys ?? 'strict',
    hashKnownHosts: config.hashKnownHosts,
    identityFiles:
      named.length > 0
        ? named.map((path) => ({ path, isNamed: true }))
        : DEFAULT_KEYS.map((name) => ({ path: join(place.home, '.ssh', name), isNamed: false })),
    certificateFiles: config.certificateFiles,
    identitiesOnly: options.identitiesOnly ?? config.identitiesOnly ?? false,
    agent: agentOf(options.agent ?? config.identityAgent ?? place.environment.SSH_AUTH_SOCK),
    authMethods: options.authMethods ?? config.authMethods,
    missingMethods: config.missingMethods,
    isBatch: options.isBatch || config.isBatch,
    addressFamily: config.addressFamily,
    bindAddress: config.bindAddress,
    connectTimeoutMs: options.connectTimeoutMs ?? config.connectTimeoutMs ?? 20_000,
    keepaliveIntervalMs: options.keepaliveIntervalMs ?? config.keepaliveIntervalMs ?? 5_000,
    keepaliveCount: options.keepaliveCount ?? config.keepaliveCount ?? 3,
  };
}

function agentOf(agent: string | false | undefined): string | undefined {
  return agent === false || agent === '' ? undefined : agent;
}

/** As OpenSSH reads it: what stands before the last `@` is the user. */
function parseJump(text: string): Destination {
  const trimmed = text.trim();
  const isUri = trimmed.startsWith('ssh://');
  const place = isUri ? trimmed.slice('ssh://'.length).replace(/\/$/, '') : trimmed;
  const at = place.lastIndexOf('@');
  const user = at < 0 ? undefined : unescaped(place.slice(0, at), isUri);
  const found = /^(?<host>\[[^\]\s]+\]|[^:@\s/-][^:@\s/]*)(?::(?<port>\d{1,5}))?$/.exec(place.slice(at + 1))?.groups;
  const port = found?.port === undefined ? undefined : Number(found.port);
  const isGoodUser = user === undefined || isUserName(user);
  if (found?.host === undefined || port === 0 || (port ?? 0) > 65_535 || !isGoodUser) {
    // A password that somebody wrote behind the user is not shown.
    const shown = JSON.stringify(trimmed.replace(/^((?:ssh:\/\/)?[^:@]*?)(?::|%3a).*@/i, '$1:***@'));
    throw sshError('config-not-supported', `${shown} is not a host on the way`, {
      remedy: 'write user@host:port in proxyJump',
    });
  }
  return { host: found.host.replace(/^\[|\]$/g, ''), port, user };
}

function unescaped(text: string, isUri: boolean): string | undefined {
  try {
    return isUri ? decodeURIComponent(text) : text;
  } catch {
    return '';
  }
}

function textsOf(jumps: readonly Destination[]): readonly string[] {
  return jumps.map(({ host, port, user }) => {
    const name = host.includes(':') ? `[${host}]` : host;
    return `${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}`;
  });
}
