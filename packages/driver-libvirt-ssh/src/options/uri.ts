import { type DaemonMode, parseUri, shownUri } from '@warmvm/libvirt';
import type { SshAuthMethod, SshOptions, SshWay } from './options.ts';

/** A far hypervisor as a URI names it. */
export interface SshUri {
  readonly driver: string;
  /** What the daemon gets to see, such as `qemu:///system`. */
  readonly driverUri: string;
  readonly isSession: boolean;
  readonly mode: DaemonMode;
  /** `no_tty`: nobody may be asked for anything. */
  readonly isBatch: boolean;
  /** What the URI says, in the words of the options. */
  readonly options: Pick<
    SshOptions,
    'host' | 'port' | 'user' | 'way' | 'socketPath' | 'netcat' | 'keyFile' | 'knownHosts' | 'hostKeys' | 'authMethods'
  >;
}

const TRANSPORTS = ['ssh', 'libssh', 'libssh2'];

type Part = Partial<{ -readonly [Key in keyof SshUri['options']]: SshUri['options'][Key] }> & {
  mode?: DaemonMode;
  isBatch?: boolean;
};

const WAYS: Readonly<Record<string, 'auto' | SshWay>> = {
  auto: 'auto',
  native: 'helper',
  netcat: 'netcat',
  streamlocal: 'streamlocal',
};

const AUTH_METHODS: Readonly<Record<string, SshAuthMethod>> = {
  agent: 'agent',
  privkey: 'keyfile',
  password: 'password',
  'keyboard-interactive': 'keyboard-interactive',
};

/** What each parameter means; undefined for "nothing is to be done". */
const PARAMS: Readonly<Record<string, (value: string) => Part>> = {
  keyfile: (value) => ({ keyFile: text(value) }),
  socket: (value) => ({ socketPath: text(value) }),
  netcat: (value) => ({ netcat: text(value), way: 'netcat' }),
  proxy: (value) => ({ way: oneOf(WAYS, value) }),
  known_hosts: (value) => ({ knownHosts: text(value) }),
  known_hosts_verify: (value) =>
    oneOf<Part>(
      { normal: { hostKeys: 'strict' }, auto: { hostKeys: 'accept-new' } },
      value,
      'a host key is always checked',
    ),
  no_verify: (value) => (flag(value) ? { hostKeys: 'accept-new' } : {}),
  no_tty: (value) => (flag(value) ? { isBatch: true } : {}),
  sshauth: (value) => ({
    authMethods: text(value)
      .split(',')
      .map((method) => oneOf(AUTH_METHODS, method)),
  }),
  mode: (value) => ({ mode: oneOf<DaemonMode>({ auto: 'auto', legacy: 'legacy', direct: 'direct' }, value) }),
  name: () => ({}),
};

/** Parameters of libvirt that mean nothing here, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  command: 'no ssh program is run; leave it out, or reach the host through ProxyJump',
  auth: 'the daemon itself says how it wants to be authenticated to; leave it out',
  authfile: 'the daemon is reached through its local socket, where no credentials are sent; leave it out',
  pkipath: 'it is for TLS; leave it out',
  tls_priority: 'it is for TLS; leave it out',
  no_sanity: 'it is for TLS; leave it out',
};

/**
 * Takes a URI such as `qemu+ssh://user@host:port/system?keyfile=...` apart. Every parameter is honoured or refused.
 * @throws TypeError naming the part of the URI, why it is refused and what to do
 */
export function parseSshUri(uri: string): SshUri {
  const parsed = parseUri(uri);
  const complain = (what: string): TypeError => new TypeError(`${shownUri(uri)}: ${what}`);
  if (parsed.transport === undefined || !TRANSPORTS.includes(parsed.transport)) {
    throw complain(`transport ssh expected, as in qemu+ssh://host/system, got ${parsed.transport ?? 'none'}`);
  }
  const host = parsed.host === undefined ? undefined : unescapeHost(parsed.host, complain);
  if (host === undefined) throw complain('a host expected, as in qemu+ssh://host/system');
  const part: Part = {};
  for (const [name, value] of parsed.params) {
    if (name !== name.trim() || !Object.hasOwn(PARAMS, name)) {
      const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : 'it is not known here; leave it out';
      throw complain(`parameter ${JSON.stringify(name)} is refused: ${why}`);
    }
    try {
      merge(part, PARAMS[name]!(value));
    } catch (cause) {
      throw new TypeError(`${shownUri(uri)}: parameter ${name}: ${(cause as Error).message}`, { cause });
    }
  }
  const { mode = 'auto', isBatch = false, ...options } = part;
  const { port, user } = parsed;
  return {
    driver: parsed.driver,
    driverUri: parsed.driverUri,
    isSession: parsed.path === '/session',
    mode,
    isBatch,
    options: { ...options, host, ...(port === undefined ? {} : { port }), ...(user === undefined ? {} : { user }) },
  };
}

function merge(part: Part, more: Part): void {
  for (const [key, value] of Object.entries(more)) {
    const present = part[key as keyof Part];
    if (present !== undefined && present !== value)
      throw new TypeError(`it contradicts another parameter about ${key}`);
    Object.assign(part, { [key]: value });
  }
}

function unescapeHost(host: string, complain: (what: string) => TypeError): string {
  try {
    return decodeURIComponent(host);
  } catch {
    throw complain('percent escapes of UTF-8 expected in the host');
  }
}

function text(value: string): string {
  if (value === '') throw new TypeError('a value expected, got none');
  return value;
}

function flag(value: string): boolean {
  if (!/^\d+$/.test(value)) throw new TypeError(`0 or 1 expected, got ${JSON.stringify(value)}`);
  return Number(value) !== 0;
}

function oneOf<Value>(table: Readonly<Record<string, Value>>, value: string, why = ''): Value {
  if (Object.hasOwn(table, value)) return table[value] as Value;
  const expected = `one of ${Object.keys(table).join(', ')} expected, got ${JSON.stringify(value)}`;
  throw new TypeError(why === '' ? expected : `${expected}: ${why}`);
}
