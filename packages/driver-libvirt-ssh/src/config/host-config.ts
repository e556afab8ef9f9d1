import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fromSystemError } from '@warmvm/core/driver';
import type { SshAuthMethod } from '../options/options.ts';
import {
  type ConfigFile,
  type ConfigQuestion,
  expandHostName,
  readConfig,
  refusedAt,
  type Setting,
  type Settings,
} from './read-config.ts';
import { expandPath, type TokenFacts } from './tokens.ts';
import { choiceOf, durationMs, wholeNumberOf, wordOf, YES_NO } from './values.ts';

/** What the user's ssh configuration says of one host, in the words of the options. Undefined: nothing. */
export interface HostConfig {
  readonly hostName: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly identityFiles: readonly string[] | undefined;
  readonly certificateFiles: readonly string[];
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
  /** Of the addresses of the host; 0 for both. */
  readonly addressFamily: 0 | 4 | 6;
  readonly bindAddress: string | undefined;
  /** Methods to prove who we are, in their order, without those that are switched off. */
  readonly authMethods: readonly SshAuthMethod[];
  /** Ways to log in that the configuration asks for and that do not exist here: for the message when no other one works. */
  readonly missingMethods: readonly string[];
}

/** What decides where a connection goes or whom it trusts, and is not done here. */
const REFUSED: Readonly<Record<string, string>> = {
  proxycommand: 'no program is run to reach a host; use ProxyJump',
  proxyusefdpass: 'no program is run to reach a host; use ProxyJump',
  knownhostscommand: 'no program is run for host keys; use UserKnownHostsFile',
  revokedhostkeys: 'write @revoked lines into a file of known hosts instead',
  canonicalizehostname: 'write the full name',
  bindinterface: 'use BindAddress',
};
const HARMLESS = ['no', 'none', 'false'];

/** What a login might need that ssh can do and this driver cannot, and what to do instead. */
const MISSING_METHODS: Readonly<Record<string, string>> = {
  gssapiauthentication: 'GSSAPIAuthentication (use a key)',
  hostbasedauthentication: 'HostbasedAuthentication (use a key)',
  pkcs11provider: 'PKCS11Provider (add the token to an ssh agent: ssh-add -s)',
};

/** As OpenSSH orders them. */
const METHODS: Readonly<Record<string, SshAuthMethod>> = {
  publickey: 'publickey',
  'keyboard-interactive': 'keyboard-interactive',
  password: 'password',
};

/** Where configuration is read. */
export interface ConfigPlace {
  readonly files: readonly ConfigFile[];
  readonly home: string;
  /** Where paths begin that are not absolute. */
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user of this process. @throws WARMVM_NOT_SUPPORTED where it has no name */
  readonly localUser: () => string;
}

/** The places that `options.sshConfig` means. */
export function configPlace(sshConfig: boolean | string, workingFolder: string = process.cwd()): ConfigPlace {
  const home = ownHome();
  const userFolder = join(home, '.ssh');
  const ofUser = { path: join(userFolder, 'config'), includeFolder: userFolder, isChecked: true };
  const ofSystem = { path: '/etc/ssh/ssh_config', includeFolder: '/etc/ssh', isChecked: false };
  const named = { path: String(sshConfig), includeFolder: userFolder, isChecked: false };
  const files = sshConfig === true ? [ofUser, ofSystem] : sshConfig === false ? [] : [named];
  return { files, home, workingFolder, environment: process.env, localUser };
}

/** A user without an entry in the system's list of users has no home. That is a fault only if something there is needed. */
function ownHome(): string {
  try {
    return homedir();
  } catch {
    return '/nonexistent';
  }
}

function localUser(): string {
  try {
    return userInfo().username;
  } catch (error) {
    const what = `no user name is known for the ssh login, because user id ${process.getuid?.()} of this process has none; set options.user`;
    throw fromSystemError(error, what, { code: 'WARMVM_NOT_SUPPORTED', details: { problem: 'user-unknown' } });
  }
}

/**
 * What the configuration says of a host: for each keyword its first value, as with OpenSSH.
 * @throws WARMVM_NOT_SUPPORTED for a directive that decides about the way or the trust and is not honoured
 */
export async function hostConfig(place: ConfigPlace, host: string, user: string | undefined): Promise<HostConfig> {
  const question: ConfigQuestion = { host, user, home: place.home, localUser: place.localUser };
  const settings = await readConfig(place.files, question);
  refuse(settings, host);
  return describe(settings, place, question);
}

function refuse(settings: Settings, host: string): void {
  for (const [name, why] of Object.entries(REFUSED)) {
    const [setting] = settings.get(name) ?? [];
    const [value] = setting?.line.words ?? [];
    if (setting === undefined || value === undefined || HARMLESS.includes(value.toLowerCase())) continue;
    throw refusedAt(setting, `sets ${name} for ${host}, which is not supported`, why);
  }
}

function describe(settings: Settings, place: ConfigPlace, { host, user }: ConfigQuestion): HostConfig {
  const read = <Value>(name: string, value: (setting: Setting) => Value): Value | undefined => {
    const [setting] = settings.get(name) ?? [];
    return setting === undefined ? undefined : value(setting);
  };
  const yes = (name: string): boolean | undefined => read(name, (setting) => choiceOf(setting, YES_NO));
  const hostName = read('hostname', (setting) => expandHostName(setting, host));
  const port = read('port', (setting) => wholeNumberOf(setting, 1, 65_535));
  const configuredUser = user === undefined ? read('user', wordOf) : undefined;
  const hostKeyAlias = read('hostkeyalias', wordOf);
  const proxyJump = read('proxyjump', jumpsOf);
  const facts: TokenFacts = {
    ...place,
    host,
    hostName: hostName ?? host,
    port: port ?? 22,
    hostKeyAlias,
    jump: proxyJump?.at(-1) ?? '',
    farUser: () => user ?? configuredUser ?? place.localUser(),
  };
  const paths = (name: string): readonly string[] | undefined =>
    settings.get(name)?.flatMap((setting) => {
      const { words } = setting.line;
      const isNone = words.some((path) => path.toLowerCase() === 'none');
      if (isNone && words.length > 1) throw refusedAt(setting, `has 'none' beside other files for ${name}`);
      return isNone ? [] : words.map((path) => expandPath(path, facts, setting));
    });
  const interval = read('serveraliveinterval', durationMs);
  return {
    hostName,
    port,
    user: configuredUser,
    identityFiles: paths('identityfile'),
    certificateFiles: paths('certificatefile') ?? [],
    identitiesOnly: yes('identitiesonly'),
    identityAgent: read('identityagent', (setting) => agentPath(setting, facts)),
    proxyJump,
    userKnownHostsFiles: paths('userknownhostsfile'),
    globalKnownHostsFiles: paths('globalknownhostsfile'),
    hostKeys: read('stricthostkeychecking', (setting) => choiceOf(setting, STRICTNESS)),
    hostKeyAlias,
    hashKnownHosts: yes('hashknownhosts') ?? false,
    // 0 switches both off for OpenSSH; here a link that breaks must be noticed.
    connectTimeoutMs: read('connecttimeout', durationMs) || undefined,
    keepaliveIntervalMs: interval || undefined,
    keepaliveCount: read('serveralivecountmax', (setting) => wholeNumberOf(setting, 0, 2 ** 31 - 1)) || undefined,
    isBatch: yes('batchmode') ?? false,
    addressFamily: read('addressfamily', (setting) => choiceOf(setting, FAMILIES)) ?? 0,
    bindAddress: read('bindaddress', wordOf),
    authMethods: authMethodsOf(settings, yes),
    missingMethods: Object.entries(MISSING_METHODS)
      .filter(([name]) => !HARMLESS.includes(read(name, wordOf)?.toLowerCase() ?? 'no'))
      .map(([, text]) => text),
  };
}

/** `no` and `off` would also take a changed key; here it is refused, so they mean the same as `accept-new`. */
const STRICTNESS: Readonly<Record<string, 'strict' | 'accept-new'>> = {
  yes: 'strict',
  true: 'strict',
  ask: 'strict',
  no: 'accept-new',
  false: 'accept-new',
  off: 'accept-new',
  'accept-new': 'accept-new',
};

const FAMILIES: Readonly<Record<string, 0 | 4 | 6>> = { any: 0, inet: 4, inet6: 6 };

function jumpsOf(setting: Setting): readonly string[] {
  const text = wordOf(setting);
  return text.toLowerCase() === 'none' ? [] : text.split(',');
}

function authMethodsOf(settings: Settings, yes: (name: string) => boolean | undefined): readonly SshAuthMethod[] {
  const [preferred] = settings.get('preferredauthentications') ?? [];
  const order = preferred === undefined ? Object.keys(METHODS) : wordOf(preferred).split(',');
  const isOff: Readonly<Record<SshAuthMethod, boolean>> = {
    publickey: ['no', 'false'].includes(settings.get('pubkeyauthentication')?.[0]?.line.words[0]?.toLowerCase() ?? ''),
    'keyboard-interactive': yes('kbdinteractiveauthentication') === false,
    password: yes('passwordauthentication') === false,
    agent: false,
    keyfile: false,
  };
  return order
    .flatMap((name) => (Object.hasOwn(METHODS, name) ? [METHODS[name] as SshAuthMethod] : []))
    .filter((method) => !isOff[method]);
}

function agentPath(setting: Setting, facts: TokenFacts): string | false | undefined {
  const value = wordOf(setting);
  if (value.toLowerCase() === 'none') return false;
  if (value === 'SSH_AUTH_SOCK') return undefined;
  if (/^\$\w+$/.test(value)) return facts.environment[value.slice(1)];
  return expandPath(value, facts, setting);
}
