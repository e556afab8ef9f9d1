import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '@warmvm/core/driver';
import { expect, test } from 'vitest';
import { createSshDialer } from './dialer.ts';
import { dialFailure, dialWorld, TestServer } from './fixtures/ssh-server.ts';
import type { SshOptions } from './options/options.ts';

const SOCKET = '/var/run/libvirt/libvirt-sock';

/** A way to a server that swallows what is sent from some moment on, and closes nothing. */
async function silencedWay(server: TestServer, options: Partial<SshOptions> = {}) {
  const sockets = new Set<Socket>();
  const listener = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const known = { hostKeys: 'accept-new' as const, knownHosts: `${server.folder}/proxied` };
  return {
    dialer: createSshDialer({ ...server.options, ...known, port, ...options }),
    silence: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

test('a dialer that is disposed lets go of all who wait for a host that went silent', async () => {
  await using server = await TestServer.start({ sockets: [SOCKET] });
  await using way = await silencedWay(server);
  const stream = await way.dialer.dial();
  const closed = once(stream.resume(), 'close');
  way.silence();
  const waiting = dialFailure(way.dialer);
  await way.dialer[Symbol.asyncDispose]();
  await closed;
  expect((await waiting).message).toContain('disposed');
});

test('silence is found out by keepalive, ends every stream, and settles who waits for one', async () => {
  await using server = await TestServer.start({ sockets: [SOCKET] });
  const quick = { keepaliveIntervalMs: 100, keepaliveCount: 3 };
  await using way = await silencedWay(server, quick);
  const stream = await way.dialer.dial();
  const closed = once(stream.resume(), 'close');
  way.silence();
  const waiting = way.dialer.dial();
  await closed;
  // The link is made anew, over the way that takes new connections.
  (await waiting).destroy();
  expect(server.connected).toBe(2);
});

test('a daemon that is connected to and never answers is not waited for', async () => {
  const clock = { ...systemClock, setTimer: (callback: () => void) => systemClock.setTimer(callback, 300) };
  await using far = await dialWorld({ execute: () => {} }, { way: 'helper', clock });
  expect(await dialFailure(far.dialer)).toMatchObject({
    code: 'WARMVM_HOST_UNREACHABLE',
    retryable: true,
    details: { problem: 'daemon-silent', timeoutMs: 20_000 },
  });
});
