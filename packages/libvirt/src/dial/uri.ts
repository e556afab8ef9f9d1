/** A libvirt URI in its parts. */
export interface LibvirtUri {
  /** Such as `qemu` or `test`. */
  readonly driver: string;
  /** Such as `unix` or `ssh`; undefined when the URI names none. */
  readonly transport: string | undefined;
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Such as `/system`. */
  readonly path: string;
  /** All query parameters. */
  readonly params: ReadonlyMap<string, string>;
  /** What the daemon gets to see: driver and path, and the parameters that do not concern the transport. */
  readonly driverUri: string;
}

/** Parameters that only concern the way to the daemon (libvirt's own client strips the same). */
const transportParams: ReadonlySet<string> = new Set([
  'name',
  'command',
  'socket',
  'auth',
  'netcat',
  'keyfile',
  'pkipath',
  'known_hosts',
  'known_hosts_verify',
  'no_sanity',
  'no_verify',
  'no_tty',
  'mode',
  'proxy',
  'sshauth',
  'tls_priority',
]);

const shape =
  /^(?<driver>[a-z][a-z0-9-]*)(?:\+(?<transport>[a-z0-9]+))?:\/\/(?<authority>[^/?#]*)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/i;

const longestShown = 1_024;
/** Up to the last `@`, as a password may hold any character. */
const passwordOfUser = /^([^:/?#]*:\/\/[^:/?#@]*?)(?::|%3a).*@/is;
const secretParam = /([?&;][^=&;]*(?:pass|secret|token|credential)[^=&;]*=)[^&;#]*/gi;

/** A URI for a message, in quotes and without what might be a secret: the password of a user, or a parameter that is named like one. */
export function shownUri(uri: unknown): string {
  if (typeof uri !== 'string') return JSON.stringify(uri) ?? String(uri);
  const shown = uri.replace(passwordOfUser, '$1:***@').slice(0, longestShown).replaceAll(secretParam, '$1***');
  return JSON.stringify(shown);
}

/**
 * Takes a libvirt URI apart. A user may hold `@`: what follows the last one is the host.
 * @throws TypeError when it is not one, or holds a password
 */
export function parseUri(uri: string): LibvirtUri {
  const groups = typeof uri === 'string' ? shape.exec(uri)?.groups : undefined;
  if (!groups) {
    throw new TypeError(`a libvirt URI such as qemu:///system expected, got ${shownUri(uri)}`);
  }
  const { driver = '', transport, authority = '', path = '', query = '' } = groups;
  const pairs = query.split(/[&;]/).filter((pair) => pair !== '');
  const params = new Map(pairs.map((pair) => parseParam(uri, pair)));
  const kept = pairs.filter((pair) => !transportParams.has(parseParam(uri, pair)[0]));
  const keptQuery = kept.length > 0 ? `?${kept.join('&')}` : '';
  return {
    driver: driver.toLowerCase(),
    transport: transport?.toLowerCase(),
    ...parseAuthority(uri, authority),
    path,
    params,
    driverUri: params.get('name') ?? `${driver.toLowerCase()}://${path || '/'}${keptQuery}`,
  };
}

// Not URLSearchParams: that makes a plus sign a space, which libvirt does not, and socket paths may hold one.
function parseParam(uri: string, pair: string): readonly [name: string, value: string] {
  const [name = '', ...value] = pair.split('=');
  return [unescapePart(uri, name), unescapePart(uri, value.join('='))];
}

function unescapePart(uri: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new TypeError(`percent escapes of UTF-8 expected in the URI ${shownUri(uri)}`, { cause });
  }
}

function parseAuthority(uri: string, authority: string): Pick<LibvirtUri, 'user' | 'host' | 'port'> {
  if (/^[^@]*(?::|%3a).*@/i.test(authority)) {
    const what = 'a user without a password expected before the host, because others can read a URI';
    throw new TypeError(`${what}, got ${shownUri(uri)}`);
  }
  const found = /^(?:(?<user>.*)@)?(?<host>\[[^\]]*\]|[^:@]*)(?::(?<port>\d+))?$/.exec(authority)?.groups;
  const port = found?.port === undefined ? undefined : Number(found.port);
  if (!found || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new TypeError(`user@host:port expected in the URI ${shownUri(uri)}`);
  }
  const user = found.user === undefined ? undefined : unescapePart(uri, found.user);
  return { user, host: found.host?.replace(/^\[|\]$/g, '') || undefined, port };
}
