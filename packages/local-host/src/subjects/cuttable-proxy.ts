import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a port of this computer that can be cut. */
export class CuttableProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) return void near.resetAndDestroy();
      const far = connect(target, '127.0.0.1');
      for (const socket of [near, far]) socket.setNoDelay(true);
      tieTogether(near, far, this.#sockets);
      near.pipe(far).pipe(near);
    });
  }

  static async start(target: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks what is open and lets nothing through, until what it returns is disposed. */
  cut(): AsyncDisposable {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    return {
      [Symbol.asyncDispose]: async () => {
        this.#isCut = false;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Makes two sockets the ends of one connection: each closes with the other, and the set holds both while they are open. */
export function tieTogether(near: Socket, far: Socket, open: Set<Socket>): void {
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      other.destroy();
    });
  }
}
