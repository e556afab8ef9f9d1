import { connect } from 'node:net';

/** Whether somebody listens on a Unix socket. A socket file without a listener does not count. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => finish(true));
    // A listener that many connect to at once has no room in its queue for the moment.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => finish(code === 'EAGAIN'));
  });
}

/** A connection that is held open and never used: a daemon that ends when nobody is connected goes on. */
export function holdOpen(socketPath: string): AsyncDisposable {
  const socket = connect(socketPath);
  // The daemon may go first; that is for those to say who use it.
  socket.on('error', () => {});
  socket.unref();
  return {
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}
