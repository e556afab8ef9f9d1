import type { Server } from 'node:net';
import { join } from 'node:path';
import { WarmvmError } from '@warmvm/core/driver';
import type { ContainedUser } from '../containment/launch.ts';
import { listenForQemu } from './private-socket.ts';

/** Names of this process's sockets: short, as paths of sockets are, and none twice, as one that closes removes its name. */
let made = 0;

/**
 * A socket that a QEMU connects to while it starts, and that leads nowhere. The kernel kills a QEMU with its starter only from the moment on
 * that `setpriv` has asked for it; where the starter died before, nobody listens here, and QEMU ends by itself instead of staying.
 */
export class StarterSocket {
  readonly path: string;
  readonly #server: Server;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.path = path;
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.destroy();
      this.close();
    });
  }

  /** @throws WARMVM_HOST_OPERATION */
  static async open(folder: string, user: ContainedUser | undefined): Promise<StarterSocket> {
    made += 1;
    const path = join(folder, `o${made.toString(36)}`);
    const server = await listenForQemu(path, user).catch((cause: unknown) => {
      throw new WarmvmError('WARMVM_HOST_OPERATION', `no socket could be made in ${folder}`, {
        cause,
        details: { path },
      });
    });
    // Whoever waits for a machine keeps this process alive; this does not.
    server.unref();
    return new StarterSocket(server, path);
  }

  /** Idempotent; removes the name. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }
}
