import { access } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import type { Duplex } from 'node:stream';
import { type DaemonMode, socketCandidates } from './socket-path.ts';
import { unreachable } from './unreachable.ts';

/** How a local daemon is reached. */
export interface LocalDialerOptions {
  /** Path of the socket; overrides everything else. */
  readonly socketPath?: string | undefined;
  /** Which daemon; overrides `mode=` of the URI. @default 'auto' */
  readonly mode?: DaemonMode | undefined;
  /** Whether to use the socket for read-only connections. @default false */
  readonly readOnly?: boolean | undefined;
}

/**
 * A dialer for the daemon of this machine: `qemu:///system`, `qemu:///session`, `test:///default`, with `?socket=` and
 * `?mode=`. It rejects with `LIBVIRT_UNREACHABLE` or `LIBVIRT_DENIED`, naming the socket.
 * @throws TypeError when the URI does not lead to a socket of this machine.
 */
export function localDialer(
  uri: string,
  options: LocalDialerOptions = {},
): (options: { readonly signal?: AbortSignal }) => Promise<Duplex> {
  const { socketPath, mode, readOnly = false } = options;
  const environment = { mode, readOnly, userId: process.geteuid?.(), variables: process.env, homeFolder: homedir() };
  const candidates = socketPath === undefined ? socketCandidates(uri, environment) : [socketPath];
  return async ({ signal } = {}) => {
    signal?.throwIfAborted();
    const path = await firstExisting(candidates);
    signal?.throwIfAborted();
    return open(path, signal);
  };
}

async function firstExisting(candidates: readonly string[]): Promise<string> {
  for (const path of candidates.slice(0, -1)) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return candidates.at(-1) as string;
}

function open(path: string, signal: AbortSignal | undefined): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    const stop = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
    };
    const onAbort = (): void => {
      stop();
      socket.destroy();
      reject(signal?.reason);
    };
    const onConnect = (): void => {
      stop();
      socket.off('error', onError);
      resolve(socket);
    };
    const onError = (cause: NodeJS.ErrnoException): void => {
      stop();
      reject(unreachable(path, cause));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', onConnect);
    socket.on('error', onError);
  });
}
