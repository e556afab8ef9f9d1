import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a port that can swallow what is sent, as a network does that drops packets: nobody is told. */
export interface StallingProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing passes on connections that are there. */
  stall(): void;
  /** New connections pass, or are swallowed as well. */
  takesNew: boolean;
}

/** Starts a proxy for a port of this computer. */
export async function startStallingProxy(target: number): Promise<StallingProxy> {
  const open = new Set<() => void>();
  const sockets = new Set<Socket>();
  const proxy = { takesNew: true };
  const server = createServer((near) => {
    sockets.add(near);
    near.on('error', () => {});
    if (!proxy.takesNew) return;
    const far = connect(target, '127.0.0.1');
    sockets.add(far);
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
    open.add(() => {
      near.unpipe().pause();
      far.unpipe().pause();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    port,
    stall: () => {
      for (const stop of open) stop();
      open.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}
