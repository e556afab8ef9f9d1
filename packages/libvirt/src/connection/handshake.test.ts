import { duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ScriptedDaemon, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { connect } from './connect.ts';
import type { ConnectOptions } from './options.ts';

function opening(options: Partial<ConnectOptions> = {}) {
  const daemon = new ScriptedDaemon();
  const clock = new VirtualClock();
  const connection = connect({ uri: 'qemu:///system', dial: daemon.dial, clock, ...options });
  connection.catch(() => {});
  return { daemon, clock, connection };
}

describe('the handshake', () => {
  test('asks how to authenticate, then opens the driver', async () => {
    const { daemon, connection } = opening({ uri: 'qemu+ssh://root@host/system?proxy=netcat&x=1' });
    daemon.reply('authList', await daemon.expect('authList'), { types: [0] });
    const open = await daemon.expect('connectOpen');
    expect(open.args).toEqual({ name: 'qemu:///system?x=1', flags: 0 });
    daemon.reply('connectOpen', open, {});
    expect((await connection).uri).toBe('qemu+ssh://root@host/system?proxy=netcat&x=1');
    await settle();
    expect(daemon.received).toEqual([]);
  });

  test('asks for a read-only connection when told to', async () => {
    const { daemon } = opening({ readOnly: true });
    daemon.reply('authList', await daemon.expect('authList'), { types: [0] });
    expect((await daemon.expect('connectOpen')).args.flags).toBe(1);
  });

  test('authenticates through polkit', async () => {
    const { daemon, connection } = opening();
    daemon.reply('authList', await daemon.expect('authList'), { types: [2] });
    daemon.reply('authPolkit', await daemon.expect('authPolkit'), { complete: 1 });
    daemon.reply('connectOpen', await daemon.expect('connectOpen'), {});
    await expect(connection).resolves.toBeDefined();
  });

  test.each([45, 79, 94])('calls a refusal by polkit with code %i denied', async (code) => {
    const { daemon, connection } = opening();
    daemon.reply('authList', await daemon.expect('authList'), { types: [2] });
    daemon.fail(await daemon.expect('authPolkit'), code);
    await expect(connection).rejects.toMatchObject({ code: 'LIBVIRT_DENIED', libvirtCode: code });
    expect(daemon.client.destroyed).toBe(true);
  });

  test('passes other errors of polkit on', async () => {
    const { daemon, connection } = opening();
    daemon.reply('authList', await daemon.expect('authList'), { types: [2] });
    daemon.fail(await daemon.expect('authPolkit'), 1);
    await expect(connection).rejects.toMatchObject({ code: 'LIBVIRT_REMOTE', libvirtCode: 1 });
  });

  test('does not take an incomplete authentication for one', async () => {
    const { daemon, connection } = opening();
    daemon.reply('authList', await daemon.expect('authList'), { types: [2] });
    daemon.reply('authPolkit', await daemon.expect('authPolkit'), { complete: 0 });
    await expect(connection).rejects.toMatchObject({ code: 'LIBVIRT_DENIED' });
  });

  test.each([
    [[1], 'SASL'],
    [[9], 'type 9'],
  ])('says that it does not support authentication %j', async (types, text) => {
    const { daemon, connection } = opening();
    daemon.reply('authList', await daemon.expect('authList'), { types });
    await expect(connection).rejects.toMatchObject({
      code: 'LIBVIRT_UNSUPPORTED',
      message: expect.stringContaining(text),
    });
  });

  test('passes on why the driver cannot be opened, and hangs up', async () => {
    const { daemon, connection } = opening();
    daemon.reply('authList', await daemon.expect('authList'), { types: [0] });
    daemon.fail(await daemon.expect('connectOpen'), 5, 'no connection driver');
    await expect(connection).rejects.toMatchObject({ libvirtCodeName: 'NO_CONNECT' });
    expect(daemon.client.destroyed).toBe(true);
  });

  test('ends when the daemon hangs up in the middle', async () => {
    const { daemon, connection } = opening();
    await daemon.expect('authList');
    daemon.socket.end();
    await expect(connection).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true });
  });
});

describe('the deadline for opening', () => {
  test('covers the dialling, and a late stream is closed', async () => {
    const late = Promise.withResolvers<ReturnType<typeof duplexPair>[0]>();
    let dialSignal: AbortSignal | undefined;
    const { clock, connection } = opening({
      openTimeoutMs: 500,
      dial: ({ signal }) => {
        dialSignal = signal;
        return late.promise;
      },
    });
    clock.advance(500);
    await expect(connection).rejects.toMatchObject({
      code: 'LIBVIRT_TIMEOUT',
      message: expect.stringContaining('500'),
    });
    expect(dialSignal?.aborted).toBe(true);
    const [, client] = duplexPair();
    late.resolve(client);
    await settle();
    expect(client.destroyed).toBe(true);
  });

  test('covers the handshake', async () => {
    const { daemon, clock, connection } = opening({ openTimeoutMs: 500 });
    await daemon.expect('authList');
    clock.advance(500);
    await expect(connection).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
    expect(daemon.client.destroyed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe('an abort of the opening', () => {
  test('before it begins dials nothing', async () => {
    const reason = new Error('not wanted');
    let dials = 0;
    const { connection } = opening({
      signal: AbortSignal.abort(reason),
      dial: () => {
        dials += 1;
        return new Promise(() => {});
      },
    });
    await expect(connection).rejects.toBe(reason);
    expect(dials).toBe(0);
  });

  test('rejects with the reason itself, whatever the dialler makes of it', async () => {
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const { connection } = opening({
      signal: controller.signal,
      dial: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('wrapped', { cause: signal.reason })));
        }),
    });
    controller.abort(reason);
    await expect(connection).rejects.toBe(reason);
  });

  test('during the handshake hangs up', async () => {
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const { daemon, connection } = opening({ signal: controller.signal });
    await daemon.expect('authList');
    controller.abort(reason);
    await expect(connection).rejects.toBe(reason);
    expect(daemon.client.destroyed).toBe(true);
  });
});

test('a dialler that fails passes its error on', async () => {
  const problem = new Error('no route');
  const { connection } = opening({ dial: () => Promise.reject(problem) });
  await expect(connection).rejects.toBe(problem);
});

describe('a bad option is refused at once', () => {
  test.each<[string, Partial<ConnectOptions>]>([
    ['uri', { uri: 'nonsense' }],
    ['uri', { uri: 7 as unknown as string }],
    ['maxInFlight', { maxInFlight: 0 }],
    ['maxInFlight', { maxInFlight: 1.5 }],
    ['callTimeoutMs', { callTimeoutMs: 0 }],
    ['slowCallTimeoutMs', { slowCallTimeoutMs: -1 }],
    ['openTimeoutMs', { openTimeoutMs: Number.NaN }],
    ['openTimeoutMs', { openTimeoutMs: 3_000_000_000 }],
    ['keepalive.intervalMs', { keepalive: { intervalMs: Number.POSITIVE_INFINITY, count: 1 } }],
    ['keepalive.count', { keepalive: { intervalMs: 1, count: 0 } }],
    ['dial', { dial: 'unix' as unknown as () => never }],
  ])('%s: %j', (_name, options) => {
    expect(() => connect({ uri: 'test:///default', ...options })).toThrow();
  });

  test('and says which', () => {
    expect(() => connect({ uri: 'test:///default', maxInFlight: 0 })).toThrow('maxInFlight');
    expect(() => connect({ uri: 'qemu+ssh://host/system' })).toThrow('pass a dial function');
  });
});
