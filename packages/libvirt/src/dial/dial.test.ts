import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localDialer } from './local.ts';
import { type SocketEnvironment, socketCandidates } from './socket-path.ts';
import { parseUri } from './uri.ts';

describe('parseUri', () => {
  test.each([
    ['qemu:///system', 'qemu:///system'],
    ['QEMU:///system', 'qemu:///system'],
    ['test:///default', 'test:///default'],
    ['test:///path/to/file.xml', 'test:///path/to/file.xml'],
    ['qemu+unix:///system?socket=/x&mode=legacy', 'qemu:///system'],
    ['qemu+ssh://root@host:22/system?proxy=netcat&keyfile=/k&no_verify=1', 'qemu:///system'],
    ['esx://host/?auto_answer=1&mode=auto', 'esx:///?auto_answer=1'],
    ['remote+ssh://host/?name=qemu:///session', 'qemu:///session'],
    ['lxc://', 'lxc:///'],
  ])('makes of %s what the daemon gets to see: %s', (uri, driverUri) => {
    expect(parseUri(uri).driverUri).toBe(driverUri);
  });

  test('gives the parts', () => {
    expect(parseUri('qemu+ssh://a%40b@[::1]:2222/system?x=1')).toMatchObject({
      driver: 'qemu',
      transport: 'ssh',
      user: 'a@b',
      host: '::1',
      port: 2222,
      path: '/system',
      params: new Map([['x', '1']]),
    });
    expect(parseUri('qemu:///system')).toMatchObject({ transport: undefined, user: undefined, host: undefined });
  });

  test.each([
    ['qemu+ssh://me@corp.example@host/system', 'me@corp.example'],
    ['qemu+ssh://CORP\\me@host:22/system', 'CORP\\me'],
    ['qemu+ssh://a@b@c@[::1]/system', 'a@b@c'],
  ])('takes what stands before the last @ of %s for the user', (uri, user) => {
    expect(parseUri(uri)).toMatchObject({ user, host: user === 'a@b@c' ? '::1' : 'host' });
  });

  test.each([
    'qemu+ssh://me:hunter2@host/system',
    'qemu+ssh://me:hun@ter2@host/system',
    'qemu+ssh://me:hunter2@host:99999/system',
    'qemu+ssh://me:hunter2/@host/system',
    'qemu+ssh://CORP%5cme%3Ahunter2@host/system',
    'qemu+ssh://:hunter2@host',
    'qemu ssh://me:hunter2@host/system',
    'qemu+ssh://me:hunter2@host/system?x=%zz',
    'qemu:///system?password=hunter2&x=%zz',
    'qemu:///system?x=%zz;auth_token=hunter2',
  ])('shows no secret of %s, which it refuses', (uri) => {
    const refusal = (): string => {
      try {
        return JSON.stringify(parseUri(uri));
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        return String((error as Error).stack);
      }
    };
    expect(refusal()).toContain('***');
    expect(refusal()).not.toMatch(/hunter2|ter2/);
  });

  test.each(['', 'qemu', 'qemu:system', 'qemu://host:99999/', 'qemu://a:b/', 7, undefined])('refuses %j', (uri) => {
    expect(() => parseUri(uri as string)).toThrow(TypeError);
  });
});

describe('the sockets to try', () => {
  const root: SocketEnvironment = {
    readOnly: false,
    mode: undefined,
    userId: 0,
    variables: { XDG_RUNTIME_DIR: '/run/user/0' },
    homeFolder: '/root',
  };
  const user = { ...root, userId: 1000, variables: { XDG_RUNTIME_DIR: '/run/user/1000' } };

  test.each<[string, SocketEnvironment, readonly string[]]>([
    ['qemu:///system', root, ['/var/run/libvirt/virtqemud-sock', '/var/run/libvirt/libvirt-sock']],
    [
      'qemu:///system',
      { ...root, readOnly: true },
      ['/var/run/libvirt/virtqemud-sock-ro', '/var/run/libvirt/libvirt-sock-ro'],
    ],
    ['qemu:///system?mode=legacy', root, ['/var/run/libvirt/libvirt-sock']],
    ['qemu:///system?mode=direct', root, ['/var/run/libvirt/virtqemud-sock']],
    ['qemu:///system?mode=direct', { ...root, mode: 'legacy' }, ['/var/run/libvirt/libvirt-sock']],
    ['storage:///system?mode=direct', root, ['/var/run/libvirt/virtstoraged-sock']],
    [
      'qemu:///session',
      { ...user, readOnly: true },
      ['/run/user/1000/libvirt/virtqemud-sock', '/run/user/1000/libvirt/libvirt-sock'],
    ],
    ['qemu:///session?mode=legacy', { ...user, variables: { XDG_CACHE_HOME: '/c' } }, ['/c/libvirt/libvirt-sock']],
    ['qemu:///session?mode=legacy', { ...user, variables: {}, homeFolder: '/h' }, ['/h/.cache/libvirt/libvirt-sock']],
    ['test:///default', root, ['/var/run/libvirt/libvirt-sock']],
    ['test:///default', user, ['/run/user/1000/libvirt/libvirt-sock']],
    ['test+unix:///default?socket=/my/sock', user, ['/my/sock']],
  ])('for %s are as libvirt itself looks for them', (uri, environment, expected) => {
    expect(socketCandidates(uri, environment)).toEqual(expected);
  });

  test.each([
    ['qemu+ssh://host/system', 'dial function'],
    ['qemu://host/system', 'dial function'],
    ['qemu:///system?mode=both', 'mode auto, legacy or direct'],
    ['test:///default?mode=direct', 'no daemon of its own'],
  ])('are refused for %s', (uri, message) => {
    expect(() => socketCandidates(uri, root)).toThrow(message);
  });
});

describe('localDialer', () => {
  let folder = '';
  let socketPath = '';
  let server: Server | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dial-'));
    socketPath = join(folder, 'sock');
  });

  afterEach(async () => {
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    server = undefined;
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  });

  async function listen(onData: (chunk: Buffer) => void = () => {}): Promise<void> {
    server = createServer((socket) => socket.on('data', onData).on('error', () => {}));
    await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
  }

  test('opens the socket that is there', async () => {
    const received = Promise.withResolvers<string>();
    await listen((chunk) => received.resolve(String(chunk)));
    const duplex = await localDialer(`test:///default?socket=${socketPath}`)({});
    duplex.write('hello');
    expect(await received.promise).toBe('hello');
    duplex.destroy();
  });

  test('says which socket is missing', async () => {
    const dial = localDialer('qemu:///system', { socketPath });
    await expect(dial({})).rejects.toMatchObject({
      code: 'LIBVIRT_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining(socketPath),
      cause: { code: 'ENOENT' },
    });
    await expect(dial({})).rejects.toThrow('libvirtd (or virtqemud) running');
  });

  test('falls back to the last of several sockets', async () => {
    const previous = process.env.XDG_RUNTIME_DIR;
    process.env.XDG_RUNTIME_DIR = folder;
    try {
      const dial = localDialer('qemu:///session');
      await expect(dial({})).rejects.toThrow(join(folder, 'libvirt', 'libvirt-sock'));
    } finally {
      if (previous === undefined) delete process.env.XDG_RUNTIME_DIR;
      else process.env.XDG_RUNTIME_DIR = previous;
    }
  });

  test('says that a socket has nobody behind it', async () => {
    await writeFile(socketPath, '');
    await expect(localDialer('qemu:///system', { socketPath })({})).rejects.toMatchObject({
      code: 'LIBVIRT_UNREACHABLE',
      message: expect.stringMatching(/nobody listens|not a socket/),
    });
  });

  test('says that another problem has to do with the socket', async () => {
    const path = join(folder, 'x'.repeat(300));
    await expect(localDialer('qemu:///system', { socketPath: path })({})).rejects.toMatchObject({
      code: 'LIBVIRT_UNREACHABLE',
    });
  });

  test('gives up at once on an aborted signal', async () => {
    await listen();
    const reason = new Error('not wanted');
    const dial = localDialer('qemu:///system', { socketPath });
    await expect(dial({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('gives up while connecting', async () => {
    await listen();
    const reason = new Error('not wanted');
    const controller = new AbortController();
    const dialling = localDialer('qemu:///system', { socketPath })({ signal: controller.signal });
    controller.abort(reason);
    await expect(dialling).rejects.toBe(reason);
  });
});
