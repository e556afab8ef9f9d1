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
  /** All query parameters; names that concern the transport in lower case. */
  readonly params: ReadonlyMap<string, string>;
  /** What the daemon gets to see: driver and path, the parameters that do not concern the transport, and the fragment. */
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
  /^(?<driver>[a-z][a-z0-9.-]*)(?:\+(?<transport>[a-z0-9]+))?:(?:\/\/(?<authority>[^/?#]*)(?<path>\/[^?#]*)?|(?<bare>\/[^?#]*))(?:\?(?<query>[^#]*))?(?<fragment>#.*)?$/is;

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
 * Takes a libvirt URI apart by libvirt's own rules: names of transport parameters in any case, the last one of a name wins, a
 * parameter without a name is ignored, and the fragment reaches the daemon. A user may hold `@`: what follows the last one is the host.
 * @throws TypeError when it is not a libvirt URI, or holds a password.
 */
export function parseUri(uri: string): LibvirtUri {
  const groups = typeof uri === 'string' ? shape.exec(uri)?.groups : undefined;
  if (!groups) {
    throw new TypeError(`a libvirt URI such as qemu:///system expected, got ${shownUri(uri)}`);
  }
  const { driver = '', transport, authority = '', bare, path = bare ?? '', query = '', fragment = '' } = groups;
  const pairs = parseQuery(uri, query);
  const kept = pairs.filter(({ isTransport }) => !isTransport);
  const keptQuery = kept.map(({ name, value }) => `${escapePart(name, /[\w.~+-]/)}=${escapePart(value)}`).join('&');
  const driverName = driver.toLowerCase();
  const driverPath = escapePart(unescapePart(uri, path), /[\w.~!$&'()*+,;=:@/-]/);
  const params = new Map(pairs.map(({ name, value }) => [name.toString(), value.toString()]));
  return {
    driver: driverName,
    transport: transport?.toLowerCase(),
    ...parseAuthority(uri, authority),
    path: unescapeText(uri, path),
    params,
    driverUri:
      params.get('name') ??
      `${driverName}://${driverPath || '/'}${keptQuery === '' ? '' : `?${keptQuery}`}${escapePart(unescapePart(uri, fragment), /[\w.~!$&'()*+,;=:@/?#-]/)}`,
  };
}

interface Param {
  readonly name: Buffer;
  readonly value: Buffer;
  readonly isTransport: boolean;
}

/** A semicolon separates only where no ampersand follows: that is what libvirt makes of it. */
function parseQuery(uri: string, query: string): readonly Param[] {
  const end = query.lastIndexOf('&');
  const parts = [...query.slice(0, Math.max(end, 0)).split('&'), ...query.slice(end + 1).split(';')];
  return parts.flatMap((part): Param[] => {
    const [rawName = '', ...rawValue] = part.split('=');
    if (rawName === '') return [];
    const name = unescapePart(uri, rawName);
    const value = unescapePart(uri, rawValue.join('='));
    const known = name.toString().toLowerCase();
    if (!transportParams.has(known)) return [{ name, value, isTransport: false }];
    return [{ name: Buffer.from(known), value: Buffer.from(unescapeText(uri, rawValue.join('='))), isTransport: true }];
  });
}

/** Percent escapes for every byte that is not one of `plain`; all but unreserved characters unless said otherwise. */
function escapePart(bytes: Buffer, plain = /[\w.~-]/): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return byte < 0x80 && plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

// Not URLSearchParams: that makes a plus sign a space, which libvirt does not, and socket paths may hold one.
function unescapePart(uri: string, text: string): Buffer {
  const parts = text.split(/(%[0-9a-f]{2})/i);
  const bytes = parts.map((part, index) =>
    Buffer.from(index % 2 === 1 ? part.slice(1) : part, index % 2 === 1 ? 'hex' : 'utf8'),
  );
  const whole = Buffer.concat(bytes);
  if (parts.some((part, index) => index % 2 === 0 && part.includes('%')) || whole.includes(0)) {
    throw new TypeError(`percent escapes such as %20, and not %00, expected in the URI ${shownUri(uri)}`);
  }
  return whole;
}

/** What this side makes use of has to be text. */
function unescapeText(uri: string, text: string): string {
  const bytes = unescapePart(uri, text);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
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
  const user = found.user === undefined ? undefined : unescapeText(uri, found.user);
  return { user, host: found.host?.replace(/^\[|\]$/g, '') || undefined, port };
}
