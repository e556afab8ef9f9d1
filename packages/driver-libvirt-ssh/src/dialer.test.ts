import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createSshDialer } from './dialer.ts';
import { daemon, dialFailure, dialWorld, finish, type ServerManners, TestServer } from './fixtures/ssh-server.ts';

const SOCKET = '/var/run/libvirt/libvirt-sock';

describe('the ways', () => {
  test('begin with a forwarded socket, the first that is there', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    (await far.dialer.dial()).destroy();
    expect(far.dialer.way).toBe('streamlocal');
    expect(far.server.commands).toEqual([]);
  });

  test('go on with the helper, and remember that it worked', async () => {
    await using far = await dialWorld({
      execute: (command, channel) => (/^virt-ssh-helper /.test(command) ? daemon(channel) : finish(channel, 1)),
    });
    await far.dialer.dial();
    await far.dialer.dial();
    expect(far.dialer.way).toBe('helper');
    expect(far.server.commands).toEqual(['virt-ssh-helper qemu:///system', 'virt-ssh-helper qemu:///system']);
    expect(far.server.connected).toBe(1);
  });

  test('end with netcat', async () => {
    const execute: ServerManners['execute'] = (command, channel) =>
      command.startsWith('sh ') ? daemon(channel) : finish(channel, 127, '', 'not found');
    await using far = await dialWorld({ execute }, { socketPath: '/run/a b' });
    await far.dialer.dial();
    expect(far.dialer.way).toBe('netcat');
    expect(far.server.commands.at(-1)).toMatch(/ warmvm '' \/run\/a\\ b$/);
  });

  test('are tried anew when the one that worked does no more', async () => {
    const manners: ServerManners = { sockets: [SOCKET], execute: (_command, channel) => daemon(channel) };
    await using far = await dialWorld(manners);
    await far.dialer.dial();
    (manners as { sockets: string[] }).sockets = [];
    await far.dialer.dial();
    expect(far.dialer.way).toBe('helper');
  });

  test('can be chosen', async () => {
    await using far = await dialWorld(
      { sockets: [SOCKET], execute: (_command, channel) => daemon(channel) },
      { way: 'netcat', netcat: '/opt/nc' },
    );
    await far.dialer.dial();
    expect(far.server.commands[0]).toContain(
      'warmvm /opt/nc /var/run/libvirt/virtqemud-sock /var/run/libvirt/libvirt-sock',
    );
  });

  test('do not take another program for a daemon, nor wait for one that never ends', async () => {
    const clock = { ...systemClock, setTimer: (callback: () => void) => systemClock.setTimer(callback, 500) };
    const execute: ServerManners['execute'] = (_command, channel) =>
      void channel.write('HTTP/1.1 400 Bad Request, no\n');
    await using far = await dialWorld({ execute }, { way: 'helper', clock });
    // Its deadlines are those of a clock that is always half a second late: enough for the handshake, not for ever.
    expect(await dialFailure(far.dialer)).toMatchObject({
      details: { problem: 'no-way', attempts: [{ said: 'what answered is no libvirt daemon' }] },
    });
  });
});

describe('a host that is reached and has no daemon for us', () => {
  const reports = (report: string): ServerManners => ({
    execute: (command, channel) =>
      command.includes('/proc/net/unix') ? finish(channel, 0, report) : finish(channel, 1, '', 'cannot\nconnect\n'),
  });
  const at = `socket ${SOCKET}\n`;

  test.each([
    ['socket-missing', 'WARMVM_HOST_UNREACHABLE', 'daemon libvirtd\n', 'start libvirtd'],
    ['libvirt-missing', 'WARMVM_HOST_UNREACHABLE', 'nonsense\n', 'install it there'],
    ['socket-denied', 'WARMVM_HOST_DENIED', at, 'group libvirt'],
    ['daemon-down', 'WARMVM_HOST_UNREACHABLE', `${at}writable ${SOCKET}\n`, 'start libvirtd there'],
    [
      'forwarding-refused',
      'WARMVM_HOST_DENIED',
      `${at}writable ${SOCKET}\nlistening ${SOCKET}\n`,
      'AllowStreamLocalForwarding',
    ],
  ])('is told as %s', async (problem, code, report, remedy) => {
    await using far = await dialWorld(reports(report));
    const error = await dialFailure(far.dialer);
    expect(error).toMatchObject({ code, details: { problem, remedy: expect.stringContaining(remedy) } });
    expect(error.message).toContain('helper: cannot connect');
  });

  test('and runs no commands is told so', async () => {
    await using far = await dialWorld({ mostSessions: 0 });
    expect(await dialFailure(far.dialer)).toMatchObject({ details: { problem: 'no-way' } });
  });

  test('is told so for a way that was chosen', async () => {
    await using far = await dialWorld(reports(`daemon libvirtd\n${at}writable ${SOCKET}\nlistening ${SOCKET}\n`), {
      way: 'netcat',
    });
    expect(await dialFailure(far.dialer)).toMatchObject({
      details: { problem: 'no-way', remedy: "set way to 'auto'" },
    });
  });
});

describe('connections', () => {
  test('carry many streams', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    await Promise.all(Array.from({ length: 30 }, () => far.dialer.dial()));
    expect(far.server.connected).toBe(1);
  });

  test('are made anew where the server takes no more sessions on one', async () => {
    await using far = await dialWorld(
      { mostSessions: 3, execute: (_command, channel) => daemon(channel) },
      { way: 'helper' },
    );
    for (let stream = 0; stream < 8; stream += 1) await far.dialer.dial();
    expect(far.server.connected).toBe(3);
  });

  test('are no more than was allowed', async () => {
    await using far = await dialWorld(
      { mostSessions: 1, execute: (_command, channel) => daemon(channel) },
      { way: 'helper', maxConnections: 2 },
    );
    await far.dialer.dial();
    await far.dialer.dial();
    await expect(far.dialer.dial()).rejects.toThrow('no more sessions on 2 connections');
  });

  test('that are lost end their streams, and the next stream makes one anew', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    const stream = await far.dialer.dial();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.resume();
    for (const connection of far.server.connections) connection.end();
    await closed;
    await far.dialer.dial();
    expect(far.server.connected).toBe(2);
  });

  test('lead over a jump host, whose key is checked too', async () => {
    await using gate = await TestServer.start();
    await using far = await dialWorld({ sockets: [SOCKET] });
    const known = join(far.server.folder, 'both');
    await writeFile(known, far.server.knownLine + gate.knownLine);
    await writeFile(gate.keyFile, gate.userKey.private);
    const keyFile = [far.server.keyFile, gate.keyFile];
    const jump = { proxyJump: `tester@127.0.0.1:${gate.port}`, keyFile };
    const over = createSshDialer({ ...far.server.options, ...jump, knownHosts: known });
    await over.dial();
    expect([gate.connected, far.server.connected]).toEqual([1, 1]);
    await over[Symbol.asyncDispose]();
    const unknown = createSshDialer({ ...far.server.options, ...jump });
    expect(await dialFailure(unknown)).toMatchObject({ details: { problem: 'host-key-unknown', port: gate.port } });
    const nowhere = createSshDialer({ ...far.server.options, ...jump, knownHosts: known, port: 1 });
    expect(await dialFailure(nowhere)).toMatchObject({ details: { problem: 'jump-refused', via: '127.0.0.1' } });
    expect(far.server.connected).toBe(1);
  });

  test('end with the dialer, and none is made after it', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    const stream = await far.dialer.dial();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.resume();
    await far.dialer[Symbol.asyncDispose]();
    await far.dialer[Symbol.asyncDispose]();
    await closed;
    await expect(far.dialer.dial()).rejects.toThrow('disposed');
  });

  test('are given up by abort', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    const { port } = await new Promise<{ port: number }>((resolve) =>
      silent.once('listening', () => resolve(silent.address() as never)),
    );
    const dialer = createSshDialer({ host: '127.0.0.1', port, sshConfig: false, agent: false, knownHosts: '/none' });
    const abort = new AbortController();
    const dialing = dialer.dial({ signal: abort.signal });
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(dialing).rejects.toBe(reason);
    const slow = createSshDialer({
      host: '127.0.0.1',
      port,
      sshConfig: false,
      agent: false,
      knownHosts: '/none',
      connectTimeoutMs: 100,
    });
    expect(await dialFailure(slow)).toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      details: { problem: 'connect-timeout' },
    });
    silent.close();
  });
});

describe('a connection that breaks as soon as it is made', () => {
  const cut = ({ connections }: TestServer): void => {
    for (const connection of connections) connection.end();
  };

  test('is a lost link, whoever is let in', async () => {
    const manners: ServerManners = {};
    await using far = await dialWorld(manners, { way: 'helper' });
    manners.execute = () => cut(far.server);
    const error = await dialFailure(far.dialer);
    expect(error).toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      details: { problem: 'link-lost', host: '127.0.0.1', port: far.server.port },
    });
    // It was no old one that may be replaced, so it is not tried for ever.
    expect(far.server.connected).toBe(1);
  });

  test('is one while the user is being let in', async () => {
    await using far = await dialWorld({ authenticate: (_context, server) => cut(server) });
    expect(await dialFailure(far.dialer)).toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      details: { problem: 'link-lost' },
    });
  });

  test('is what a dialer has that was disposed', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    await far.dialer[Symbol.asyncDispose]();
    expect(await dialFailure(far.dialer)).toMatchObject({ details: { problem: 'link-lost' } });
    expect(far.server.connected).toBe(0);
  });
});
