import type { Server } from 'node:net';
import { WarmvmError } from '@warmvm/core/driver';
import { listenForQemu } from './private-socket.ts';

/** Numbers this process's sockets: one that closes removes its name, which no other may have. */
let made = 0;

/**
 * A socket that a QEMU connects to while it starts, and that leads nowhere. The kernel kills a QEMU with its starter only from the moment on
 * that `setpriv` has asked for it; where the starter died before, nobody listens here, and QEMU ends by itself instead of staying.
 */
export class StarterSocket {
  /** In the folder that QEMU runs in. */
  readonly name: string;
  readonly #server: Server;

  private constructor(server: Server, name: string) {
    this.#server = server;
    this.name = name;
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.destroy();
      this.close();
    });
  }

  /** @throws WARMVM_HOST_OPERATION */
  static async open(folder: string): Promise<StarterSocket> {
    made += 1;
    const name = `o${made.toString(36)}`;
    const server = await listenForQemu(folder, name).catch((cause: unknown) => {
      throw new WarmvmError('WARMVM_HOST_OPERATION', `no socket could be made in ${folder}`, {
        cause,
        details: { folder, name },
      });
    });
    // Whoever waits for a machine keeps this process alive; this does not.
    server.unref();
    return new StarterSocket(server, name);
  }

  /** Idempotent; removes the name. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }
}
