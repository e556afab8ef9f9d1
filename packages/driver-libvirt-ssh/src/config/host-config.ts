import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { sshError } from '../problem.ts';
import { readConfig, UNJUDGED, wordsOf } from './read-config.ts';

/** What the user's ssh configuration says of one host, in the words of the options. Undefined: nothing. */
export interface HostConfig {
  readonly hostName: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly identityFiles: readonly string[] | undefined;
  readonly identitiesOnly: boolean | undefined;
  /** `none` is false. */
  readonly identityAgent: string | false | undefined;
  /** `none` is empty. */
  readonly proxyJump: readonly string[] | undefined;
  readonly userKnownHostsFiles: readonly string[] | undefined;
  readonly globalKnownHostsFiles: readonly string[] | undefined;
  readonly hostKeys: 'strict' | 'accept-new' | undefined;
  readonly hostKeyAlias: string | undefined;
  readonly hashKnownHosts: boolean;
  readonly connectTimeoutMs: number | undefined;
  readonly keepaliveIntervalMs: number | undefined;
  readonly keepaliveCount: number | undefined;
  readonly isBatch: boolean;
}

/** What decides where a connection goes or whom it trusts, and is not done here. */
const REFUSED: Readonly<Record<string, string>> = {
  proxycommand: 'no program is run to reach a host; use ProxyJump',
  proxyusefdpass: 'no program is run to reach a host; use ProxyJump',
  knownhostscommand: 'no program is run for host keys; use UserKnownHostsFile',
  revokedhostkeys: 'write @revoked lines into a file of known hosts instead',
  canonicalizehostname: 'write the full name',
};
const HARMLESS = ['no', 'none', 'false'];

/** Where configuration is read. */
export interface ConfigPlace {
  readonly files: readonly string[];
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The places that `options.sshConfig` means. */
export function configPlace(sshConfig: boolean | string): ConfigPlace {
  const home = homedir();
  const files =
    sshConfig === true ? [join(home, '.ssh/config'), '/etc/ssh/ssh_config'] : sshConfig === false ? [] : [sshConfig];
  return { files, home, environment: process.env };
}

/**
 * What the configuration says of a host. The first file that says something has the word, as with OpenSSH.
 * @throws WARMVM_NOT_SUPPORTED for a directive that decides about the way or the trust and is not honoured
 */
export async function hostConfig(place: ConfigPlace, host: string, user: string | undefined): Promise<HostConfig> {
  const found = new Map<string, unknown>();
  for (const file of place.files) {
    const config = await readConfig(file, place.home);
    const asked = user === undefined ? { Host: host } : { Host: host, User: user };
    const computed = config.compute(asked, { ignoreCase: true, matchExec: false } as never) as Record<string, unknown>;
    for (const [name, value] of Object.entries(computed)) {
      if (name === 'user' && user !== undefined) continue;
      if (!found.has(name)) found.set(name, value);
    }
    refuse(found, file, host);
  }
  return describe(found, place, host);
}

function refuse(found: ReadonlyMap<string, unknown>, file: string, host: string): void {
  const complain = (name: string, why: string): never => {
    throw sshError(
      'config-not-supported',
      `ssh configuration ${file} sets ${name} for ${host}, which is not supported`,
      {
        file,
        directive: name,
        remedy: `${why}; or set options.sshConfig to false`,
      },
    );
  };
  if (found.has(UNJUDGED)) {
    complain(`Match ${wordsOf(found.get(UNJUDGED)).join(' ')}`, 'name the host in the Match or Host instead');
  }
  for (const [name, why] of Object.entries(REFUSED)) {
    const [value] = wordsOf(found.get(name));
    if (value !== undefined && !HARMLESS.includes(value.toLowerCase())) complain(name, why);
  }
}

function describe(found: ReadonlyMap<string, unknown>, place: ConfigPlace, host: string): HostConfig {
  const words = (name: string): readonly string[] | undefined =>
    found.has(name) ? wordsOf(found.get(name)) : undefined;
  const one = (name: string): string | undefined => words(name)?.[0];
  const number = (name: string, factor = 1): number | undefined => {
    const value = one(name);
    if (value === undefined || !/^\d{1,9}$/.test(value)) return undefined;
    return Number(value) * factor;
  };
  const yes = (name: string): boolean | undefined => {
    const value = one(name)?.toLowerCase();
    return value === undefined ? undefined : value === 'yes' || value === 'true';
  };
  const hostName = one('hostname')?.replaceAll('%h', host).replaceAll('%%', '%');
  const port = number('port');
  const user = one('user');
  const tokens = tokensFor(place, { host, hostName: hostName ?? host, port: port ?? 22, user });
  const paths = (name: string): readonly string[] | undefined =>
    words(name)
      ?.filter((path) => path.toLowerCase() !== 'none')
      .map((path) => expandPath(path, place, tokens));
  const agent = one('identityagent');
  const interval = number('serveraliveinterval', 1000);
  const timeout = number('connecttimeout', 1000);
  const jump = words('proxyjump')?.join('').toLowerCase() === 'none' ? [] : words('proxyjump')?.join('').split(',');
  return {
    hostName,
    port,
    user,
    identityFiles: paths('identityfile'),
    identitiesOnly: yes('identitiesonly'),
    identityAgent: agent === undefined ? undefined : agentPath(agent, place, tokens),
    proxyJump: jump,
    userKnownHostsFiles: paths('userknownhostsfile'),
    globalKnownHostsFiles: paths('globalknownhostsfile'),
    hostKeys: strictness(one('stricthostkeychecking')),
    hostKeyAlias: one('hostkeyalias'),
    hashKnownHosts: yes('hashknownhosts') ?? false,
    // 0 switches both off for OpenSSH; here a link that breaks must be noticed.
    connectTimeoutMs: timeout === 0 ? undefined : timeout,
    keepaliveIntervalMs: interval === 0 ? undefined : interval,
    keepaliveCount: number('serveralivecountmax') || undefined,
    isBatch: yes('batchmode') ?? false,
  };
}

/** `no` and `off` would also take a changed key; here it is refused, so they mean the same as `accept-new`. */
function strictness(value: string | undefined): HostConfig['hostKeys'] {
  if (value === undefined) return undefined;
  return ['no', 'off', 'false', 'accept-new'].includes(value.toLowerCase()) ? 'accept-new' : 'strict';
}

function agentPath(value: string, place: ConfigPlace, tokens: Tokens): string | false | undefined {
  if (value.toLowerCase() === 'none') return false;
  if (value === 'SSH_AUTH_SOCK') return undefined;
  if (/^\$\w+$/.test(value)) return place.environment[value.slice(1)];
  return expandPath(value, place, tokens);
}

type Tokens = Readonly<Record<string, string>>;

function tokensFor(
  { home }: ConfigPlace,
  target: {
    readonly host: string;
    readonly hostName: string;
    readonly port: number;
    readonly user: string | undefined;
  },
): Tokens {
  const { username, uid } = userInfo();
  return {
    '%': '%',
    d: home,
    h: target.hostName,
    i: String(uid),
    L: hostname().split('.')[0] ?? '',
    l: hostname(),
    n: target.host,
    p: String(target.port),
    r: target.user ?? username,
    u: username,
  };
}

function expandPath(path: string, { home, environment }: ConfigPlace, tokens: Tokens): string {
  const remedy = 'write the path out, or set options.sshConfig to false';
  const expanded = path
    .replace(/^~(?=\/|$)/, home)
    .replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => {
      const value = environment[name];
      if (value !== undefined) return value;
      throw sshError('config-not-supported', `${whole} in the ssh configuration is not set`, { remedy });
    })
    .replaceAll(/%(.?)/g, (whole, token: string) => {
      if (Object.hasOwn(tokens, token)) return tokens[token] as string;
      throw sshError('config-not-supported', `${whole} in the ssh configuration is not supported`, { remedy });
    });
  return expanded.startsWith('/') ? expanded : join(home, '.ssh', expanded);
}
