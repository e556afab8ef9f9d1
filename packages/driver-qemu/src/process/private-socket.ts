import { once } from 'node:events';
import { chmod, open, rename } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { CallOptions } from '@warmvm/core/driver';

/** Bytes that every system has for the path of a socket. */
const SOCKET_PATH_BYTES = 103;

/**
 * Listens at a socket in a folder, to which the QEMU that runs there may connect by the socket's name. The folder must be closed to
 * all others, and QEMU must not write to it. Closing the server removes the name.
 */
export async function listenForQemu(folder: string, name: string): Promise<Server> {
  return listenIn(folder, name, (path) => chmod(path, 0o666));
}

/** A socket that listens, for a QEMU that inherits it. */
export interface SocketForQemu {
  readonly descriptor: number;
  /** Closes our side and leaves the name. */
  close(): void;
}

/** Makes a socket in a folder. Only this user may connect. @throws the system's error */
export async function socketForQemu(folder: string, name: string): Promise<SocketForQemu> {
  // Node removes the name under which it began to listen, when it closes the socket.
  const server = await listenIn(folder, `${name}-made`, (path) => rename(path, join(folder, name)));
  // Node has no public name for it, and takes no server for the `stdio` of a child.
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd?: number } };
  if (handle?.fd === undefined || handle.fd < 0)
    throw new Error('this version of Node hides the descriptor of a server');
  return { descriptor: handle.fd, close: () => void server.close() };
}

/** Connects to a socket in a folder, however long its path is. @throws the signal's reason, the system's error */
export async function connectIn(folder: string, name: string, { signal }: CallOptions): Promise<Socket> {
  const place = await shortPath(folder, name);
  const socket = connect(place.path);
  try {
    await once(socket, 'connect', signal === undefined ? {} : { signal });
    socket.on('error', () => {});
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    throw error;
  } finally {
    // Not waited for: what the socket does next must find who listens to it.
    place.close().catch(() => {});
  }
}

async function listenIn(folder: string, name: string, whenListening: (path: string) => Promise<void>): Promise<Server> {
  const place = await shortPath(folder, name);
  const server = createServer();
  server.once('close', () => void place.close());
  try {
    server.listen(place.path);
    await once(server, 'listening');
    await whenListening(join(folder, name));
    return server;
  } catch (error) {
    if (server.listening) server.close();
    else await place.close();
    throw error;
  }
}

/** The system bounds the path of a socket to about a hundred bytes. A folder that is open has a short one, on Linux. */
async function shortPath(folder: string, name: string): Promise<{ readonly path: string; close(): Promise<void> }> {
  const path = join(folder, name);
  if (process.platform !== 'linux' || Buffer.byteLength(path) <= SOCKET_PATH_BYTES)
    return { path, close: async () => {} };
  const handle = await open(folder);
  return { path: `/proc/self/fd/${handle.fd}/${name}`, close: () => handle.close() };
}
