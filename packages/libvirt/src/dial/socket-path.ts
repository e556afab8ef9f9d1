import { join } from 'node:path';
import { type LibvirtUri, parseUri } from './uri.ts';

/** Which daemon to reach: the one per driver, the one for all, or whichever is there. */
export type DaemonMode = 'auto' | 'legacy' | 'direct';

/** What the choice of a socket depends on, besides the URI. */
export interface SocketEnvironment {
  readonly readOnly: boolean;
  readonly mode: DaemonMode | undefined;
  /** The effective user, undefined where there are none. */
  readonly userId: number | undefined;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
}

const daemons: Readonly<Record<string, string>> = {
  qemu: 'virtqemud',
  lxc: 'virtlxcd',
  xen: 'virtxend',
  vbox: 'virtvboxd',
  bhyve: 'virtbhyved',
  storage: 'virtstoraged',
  network: 'virtnetworkd',
  nwfilter: 'virtnwfilterd',
  secret: 'virtsecretd',
  nodedev: 'virtnodedevd',
  interface: 'virtinterfaced',
};

/**
 * The sockets to try, in order: the first that exists is the one.
 * @throws TypeError when the URI does not lead to a socket of this machine.
 */
export function socketCandidates(uri: string, environment: SocketEnvironment): readonly string[] {
  const parsed = parseUri(uri);
  if (parsed.transport !== undefined && parsed.transport !== 'unix') {
    throw new TypeError(`transport ${parsed.transport} of ${uri} is not a local socket; pass a dial function for it`);
  }
  if (parsed.host !== undefined) {
    throw new TypeError(`${uri} names the host ${parsed.host}; pass a dial function that reaches it`);
  }
  const socket = parsed.params.get('socket');
  if (socket !== undefined) return [socket];
  const isSession = isSessionUri(parsed, environment.userId);
  const folder = isSession ? sessionFolder(environment) : '/var/run/libvirt';
  const suffix = environment.readOnly && !isSession ? '-ro' : '';
  return daemonNames(parsed, environment.mode ?? modeOf(parsed)).map((name) => join(folder, `${name}-sock${suffix}`));
}

function daemonNames(uri: LibvirtUri, mode: DaemonMode): readonly string[] {
  const own = Object.hasOwn(daemons, uri.driver) ? daemons[uri.driver] : undefined;
  if (mode === 'legacy') return ['libvirt'];
  if (mode === 'direct') {
    if (own === undefined)
      throw new TypeError(`driver ${uri.driver} has no daemon of its own; use mode legacy or auto`);
    return [own];
  }
  return own === undefined ? ['libvirt'] : [own, 'libvirt'];
}

function modeOf(uri: LibvirtUri): DaemonMode {
  const mode = uri.params.get('mode') ?? 'auto';
  if (mode !== 'auto' && mode !== 'legacy' && mode !== 'direct') {
    throw new TypeError(`mode auto, legacy or direct expected in the URI, got ${JSON.stringify(mode)}`);
  }
  return mode;
}

/** The test driver has no system or session part in its path; libvirt decides by the user. */
function isSessionUri(uri: LibvirtUri, userId: number | undefined): boolean {
  return uri.path === '/session' || (uri.driver === 'test' && userId !== undefined && userId !== 0);
}

function sessionFolder({ variables, homeFolder }: SocketEnvironment): string {
  const base = variables.XDG_RUNTIME_DIR || variables.XDG_CACHE_HOME || join(homeFolder, '.cache');
  return join(base, 'libvirt');
}
