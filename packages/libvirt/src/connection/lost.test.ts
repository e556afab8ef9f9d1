import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLibvirtError } from '../error.ts';
import { encodePacket } from '../frame/index.ts';
import { goldenDaemonBytes } from '../testing/golden-session.ts';
import { connected, testDomain as dom, ScriptedDaemon, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { connect } from './connect.ts';

describe('a lost socket', () => {
  test('settles calls in flight and in the queue, and closed, with its cause', async () => {
    const clock = new VirtualClock();
    const { daemon, connection } = await connected({ maxInFlight: 1, clock });
    const results = [connection.call('connectGetType', {}), connection.call('connectGetUri', {})];
    await daemon.expect('connectGetType');
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    daemon.client.destroy(cause);
    for (const result of results) {
      await expect(result).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true, cause });
    }
    expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_CLOSED', cause });
    expect(clock.pending).toBe(0);
  });

  test('refuses later calls with the same error', async () => {
    const { daemon, connection } = await connected();
    daemon.socket.end();
    const error = await connection.closed;
    expect(error).toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true });
    await expect(connection.call('connectGetType', {})).rejects.toBe(error);
    await expect(connection.domainEvents('lifecycle')).rejects.toBe(error);
    await connection.close();
  });

  test('in the middle of a packet is told so', async () => {
    const { daemon, connection } = await connected();
    daemon.send(Uint8Array.of(0, 0, 0, 40, 1, 2));
    daemon.socket.end();
    expect((await connection.closed)?.message).toContain('in the middle of a packet');
  });

  test('after an abort in flight leaves nothing behind', async () => {
    const { daemon, connection } = await connected();
    const controller = new AbortController();
    const call = connection.call('connectGetType', {}, { signal: controller.signal });
    await daemon.expect('connectGetType');
    controller.abort(new Error('not wanted'));
    await expect(call).rejects.toThrow('not wanted');
    daemon.socket.end();
    expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_CLOSED' });
    expect(connection.inFlight).toBe(0);
  });

  test('ends a subscription with the error, after the events that came before', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle');
    const call = await daemon.expect('connectDomainEventCallbackRegisterAny');
    daemon.reply('connectDomainEventCallbackRegisterAny', call, { callbackID: 3 });
    const events = await opening;
    daemon.lifecycle(3, 2);
    daemon.socket.end();
    const error = await connection.closed;
    expect((await events.next()).value).toMatchObject({ event: 2 });
    await expect(events.next()).rejects.toBe(error);
    await events[Symbol.asyncDispose]();
  });
});

describe('close', () => {
  test('says good-bye, settles what is under way, and resolves closed to undefined', async () => {
    const { daemon, connection } = await connected({ maxInFlight: 2 });
    const running = connection.call('connectGetType', {});
    running.catch(() => {});
    const closing = connection.close();
    await expect(connection.call('connectGetUri', {})).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await daemon.expect('connectGetType');
    daemon.reply('connectClose', await daemon.expect('connectClose'), {});
    await closing;
    await expect(running).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: false });
    expect(await connection.closed).toBeUndefined();
    expect(daemon.client.destroyed).toBe(true);
    await connection.close();
  });

  test('is no loss when the daemon hangs up on the good-bye without an answer', async () => {
    const { daemon, connection } = await connected();
    const closing = connection.close();
    await daemon.expect('connectClose');
    daemon.socket.end();
    await closing;
    expect(await connection.closed).toBeUndefined();
  });

  test('gives up on a good-bye that is not answered', async () => {
    const clock = new VirtualClock();
    const { daemon, connection } = await connected({ clock });
    const closing = connection.close();
    await daemon.expect('connectClose');
    clock.advance(1000);
    await closing;
    expect(await connection.closed).toBeUndefined();
  });

  test('does not wait for a slot when all are taken', async () => {
    const { daemon, connection } = await connected({ maxInFlight: 1 });
    const running = connection.call('connectGetType', {});
    await daemon.expect('connectGetType');
    await connection.close();
    await expect(running).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
  });

  test('is what disposing does', async () => {
    const { daemon, connection } = await connected();
    const disposing = connection[Symbol.asyncDispose]();
    daemon.reply('connectClose', await daemon.expect('connectClose'), {});
    await disposing;
    expect(await connection.closed).toBeUndefined();
  });

  test('ends subscriptions without an error', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle');
    const call = await daemon.expect('connectDomainEventCallbackRegisterAny');
    daemon.reply('connectDomainEventCallbackRegisterAny', call, { callbackID: 3 });
    const events = await opening;
    const next = events.next();
    const closing = connection.close();
    daemon.reply('connectClose', await daemon.expect('connectClose'), {});
    await closing;
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

describe('a hostile daemon', () => {
  test.each<[string, Uint8Array]>([
    ['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a giant length', Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
    [
      'a reply to a call nobody made',
      encodePacket({ program: 0x2000_8086, procedure: 1, type: 1, serial: 999, status: 0 }),
    ],
    [
      'a reply with file descriptors',
      encodePacket({ program: 0x2000_8086, procedure: 1, type: 5, serial: 1, status: 0 }),
    ],
  ])('that sends %s ends the connection with a protocol error', async (_what, bytes) => {
    const { daemon, connection } = await connected();
    const call = connection.call('connectGetType', {});
    await daemon.expect('connectGetType');
    daemon.send(bytes);
    await expect(call).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL', retryable: false });
    expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
    expect(daemon.client.destroyed).toBe(true);
  });

  test('that answers another procedure ends the connection', async () => {
    const { daemon, connection } = await connected();
    const call = connection.call('connectGetType', {});
    const { serial } = await daemon.expect('connectGetType');
    daemon.reply('connectGetUri', { serial }, { uri: 'x' });
    await expect(call).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
    await expect(connection.closed).resolves.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
  });

  test('that answers with status continue fails the call', async () => {
    const { daemon, connection } = await connected();
    const call = connection.call('domainSuspend', { dom });
    daemon.stream(await daemon.expect('domainSuspend'), 2, undefined, 1);
    await expect(call).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
  });

  test('that sends messages nobody asked for is tolerated', async () => {
    const { daemon, connection } = await connected();
    daemon.lifecycle(77, 1);
    daemon.send(encodePacket({ program: 0x2000_8086, procedure: 9999, type: 2, serial: 1, status: 0 }));
    daemon.stream({ program: 0x2000_8086, procedure: 209, serial: 55, type: 3, status: 0 }, 2, Uint8Array.of(1));
    const call = connection.call('connectGetType', {});
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'x' });
    expect(await call).toEqual({ type: 'x' });
  });

  test('never causes anything but libvirt errors, and never a hang', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(goldenDaemonBytes.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        async (mutations) => {
          const bytes = Uint8Array.from(goldenDaemonBytes);
          for (const [offset, value] of mutations) bytes[offset] = value;
          const daemon = new ScriptedDaemon();
          const opening = connect({ uri: 'test:///default', dial: daemon.dial, keepalive: false }).then(
            async (connection) => {
              const call = connection.call('connectGetLibVersion', {});
              await Promise.allSettled([call, connection.domainEvents('lifecycle')]);
              return connection.closed;
            },
            (error: unknown) => error,
          );
          daemon.send(bytes);
          await settle();
          daemon.socket.end();
          const outcome = await opening;
          expect(isLibvirtError(outcome)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
