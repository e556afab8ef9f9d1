import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { systemClock, type WarmvmError } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createSshDialer } from './dialer.ts';
import { dialFailure } from './fixtures/ssh-server.ts';

/** What comes of dialing a server of these manners. */
async function failureAt(behave: (socket: Socket) => void): Promise<WarmvmError> {
  const server = createServer((socket) => behave(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const dialer = createSshDialer({ host: '127.0.0.1', port, sshConfig: false, agent: false, knownHosts: '/none' });
  try {
    return await dialFailure(dialer);
  } finally {
    server.close();
  }
}

/** Says something, and breaks the connection when it hears from the other side. */
function breakOff(socket: Socket, text = ''): void {
  socket.write(text);
  socket.once('data', () => socket.resetAndDestroy());
}

describe('a host that is not reached', () => {
  test('because nobody listens', async () => {
    const dialer = createSshDialer({ host: '127.0.0.1', port: 1, sshConfig: false });
    expect(await dialFailure(dialer)).toMatchObject({ retryable: true, details: { problem: 'connection-refused' } });
  });

  test('because it has no such name', async () => {
    const dialer = createSshDialer({ host: 'no-such-host.invalid', sshConfig: false });
    expect(await dialFailure(dialer)).toMatchObject({ details: { problem: 'name-not-found' } });
  });

  test.each<readonly [string, (socket: Socket) => void]>([
    ['talks of something else', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['does so and breaks the connection', (socket) => breakOff(socket, '220 mail\r\n')],
  ])('because what listens %s', async (_what, behave) => {
    expect(await failureAt(behave)).toMatchObject({
      code: 'WARMVM_HOST_PROTOCOL',
      retryable: false,
      details: { problem: 'not-ssh' },
    });
  });

  test.each<readonly [string, (socket: Socket) => void]>([
    ['hangs up', (socket) => socket.end()],
    ['breaks the connection at once', (socket) => socket.resetAndDestroy()],
    ['breaks the connection', (socket) => breakOff(socket)],
    ['is too busy', (socket) => socket.end('Exceeded MaxStartups\r\n')],
    ['is too busy and breaks the connection', (socket) => breakOff(socket, 'Exceeded MaxStartups\r\n')],
    ['punishes', (socket) => socket.end('Not allowed at this time\r\n')],
  ])('because what listens %s, which may be otherwise later', async (_what, behave) => {
    expect(await failureAt(behave)).toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      retryable: true,
      details: { problem: 'turned-away', remedy: expect.stringContaining('MaxStartups') },
    });
  });

  test('because its clock says that it took too long', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const clock = { ...systemClock, setTimer: (callback: () => void) => systemClock.setTimer(callback, 1) };
    const dialer = createSshDialer({
      host: '127.0.0.1',
      port,
      sshConfig: false,
      agent: false,
      knownHosts: '/none',
      clock,
    });
    expect((await dialFailure(dialer)).message).toContain('within 20000 ms');
    silent.close();
  });
});
