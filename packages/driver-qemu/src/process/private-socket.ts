import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { ContainedUser } from '../containment/launch.ts';
import { shareFile } from '../containment/shared-files.ts';

/** Listens at a socket of this path, to which QEMU may connect whoever it runs as. Closing the server removes the name. */
export async function listenForQemu(path: string, user: ContainedUser | undefined): Promise<Server> {
  const server = createServer();
  try {
    server.listen(path);
    await once(server, 'listening');
    await shareFile(path, 'write', user);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}
