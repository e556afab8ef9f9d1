import { describe, expect, test } from 'vitest';
import { MessageStatus } from '../frame/index.ts';
import { testDomain as dom, ScriptedDaemon, settle } from '../testing/scripted-daemon.ts';
import { type Client, openClient } from './client.ts';

/** A client whose connections are given out in order. */
async function opened() {
  const daemons: ScriptedDaemon[] = [];
  const waiters: ((daemon: ScriptedDaemon) => void)[] = [];
  const dial: ScriptedDaemon['dial'] = (options) => {
    const daemon = new ScriptedDaemon();
    const waiter = waiters.shift();
    if (waiter) waiter(daemon);
    else daemons.push(daemon);
    return daemon.dial(options);
  };
  /** The daemon's end of the next connection. */
  const next = async (): Promise<ScriptedDaemon> =>
    daemons.shift() ?? new Promise<ScriptedDaemon>((resolve) => void waiters.push(resolve));
  const opening = openClient({ uri: 'test:///default', dial, keepalive: false });
  const main = await next();
  await main.handshake();
  return { client: await opening, main, next, dialled: () => daemons.length };
}

async function openedSlow(client: Client, next: () => Promise<ScriptedDaemon>): Promise<ScriptedDaemon> {
  const call = client.call('domainCreate', { dom });
  const slow = await next();
  await slow.handshake();
  slow.reply('domainCreate', await slow.expect('domainCreate'), {});
  await call;
  return slow;
}

async function answerGoodbye(daemon: ScriptedDaemon): Promise<void> {
  daemon.reply('connectClose', await daemon.expect('connectClose'), {});
}

describe('a client', () => {
  test('makes quick calls on its first connection', async () => {
    const { client, main, dialled } = await opened();
    const call = client.call('domainGetState', { dom, flags: 0 });
    main.reply('domainGetState', await main.expect('domainGetState'), { state: 1, reason: 1 });
    expect(await call).toEqual({ state: 1, reason: 1 });
    expect(dialled()).toBe(0);
    expect(client.uri).toBe('test:///default');
  });

  test('makes all slow calls on one second connection, opened when first needed', async () => {
    const { client, next, dialled } = await opened();
    const calls = [client.call('domainCreate', { dom }), client.call('domainDestroy', { dom })];
    const slow = await next();
    await slow.handshake();
    slow.reply('domainCreate', await slow.expect('domainCreate'), {});
    slow.reply('domainDestroy', await slow.expect('domainDestroy'), {});
    await Promise.all(calls);
    expect(dialled()).toBe(0);
  });

  test('tries the second connection anew when it could not be opened', async () => {
    const { client, next } = await opened();
    const first = client.call('domainCreate', { dom });
    const broken = await next();
    await broken.expect('authList');
    broken.socket.end();
    await expect(first).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await openedSlow(client, next);
  });

  test('lets one caller give up on the second connection while another still waits', async () => {
    const { client, next } = await opened();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const first = client.call('domainCreate', { dom }, { signal: controller.signal });
    const second = client.call('domainDestroy', { dom });
    const slow = await next();
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    await slow.handshake();
    slow.reply('domainDestroy', await slow.expect('domainDestroy'), {});
    await second;
  });

  test('opens each stream on a connection of its own, closed with the stream', async () => {
    const { client, next } = await opened();
    const opening = client.openStream('domainScreenshot', { dom, screen: 0, flags: 0 });
    const bulk = await next();
    await bulk.handshake();
    const call = await bulk.expect('domainScreenshot');
    bulk.reply('domainScreenshot', call, { mime: 'image/png' });
    const stream = await opening;
    expect(stream.reply.mime).toBe('image/png');
    const finishing = stream.finish();
    await bulk.next();
    bulk.stream(call, MessageStatus.OK);
    await finishing;
    await answerGoodbye(bulk);
    await settle();
    expect(bulk.client.destroyed).toBe(true);
  });

  test('closes the connection of a stream that could not be opened', async () => {
    const { client, next } = await opened();
    const opening = client.openStream('domainScreenshot', { dom, screen: 0, flags: 0 });
    const outcome = expect(opening).rejects.toMatchObject({ libvirtCode: 55 });
    const bulk = await next();
    await bulk.handshake();
    bulk.fail(await bulk.expect('domainScreenshot'), 55);
    await answerGoodbye(bulk);
    await outcome;
    expect(bulk.client.destroyed).toBe(true);
  });

  test('gives up opening a stream when told to', async () => {
    const { client, next } = await opened();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const args = { dom, screen: 0, flags: 0 };
    const opening = client.openStream('domainScreenshot', args, { signal: controller.signal });
    const bulk = await next();
    await bulk.expect('authList');
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    expect(bulk.client.destroyed).toBe(true);
    await expect(client.openStream('domainScreenshot', args, { signal: controller.signal })).rejects.toBe(reason);
  });

  test('hears events on its first connection', async () => {
    const { client, main } = await opened();
    const register = 'connectDomainEventCallbackRegisterAny';
    const opening = client.domainEvents('lifecycle');
    main.reply(register, await main.expect(register), { callbackID: 1 });
    main.lifecycle(1, 2);
    expect((await (await opening).next()).value?.event).toBe(2);
    const others = [client.storagePoolEvents('refresh'), client.networkEvents('lifecycle'), client.monitorEvents()];
    main.fail(await main.expect('connectStoragePoolEventRegisterAny'), 3);
    main.fail(await main.expect('connectNetworkEventRegisterAny'), 3);
    main.fail(await main.expect('connectDomainMonitorEventRegister'), 3);
    for (const other of others) await expect(other).rejects.toMatchObject({ libvirtCode: 3 });
  });
});

describe('the end of a client', () => {
  test('by close says good-bye on every connection, the first one last', async () => {
    const { client, main, next } = await opened();
    const slow = await openedSlow(client, next);
    const closing = client.close();
    await slow.expect('connectClose').then((call) => {
      expect(main.received).toEqual([]);
      slow.reply('connectClose', call, {});
    });
    await answerGoodbye(main);
    await closing;
    expect(await client.closed).toBeUndefined();
    await client[Symbol.asyncDispose]();
    await expect(client.call('domainCreate', { dom })).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await expect(client.call('connectGetType', {})).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await expect(client.openStream('domainScreenshot', { dom, screen: 0, flags: 0 })).rejects.toMatchObject({
      code: 'LIBVIRT_CLOSED',
    });
  });

  test('by loss of the first connection closes the second', async () => {
    const { client, main, next } = await opened();
    const slow = await openedSlow(client, next);
    main.socket.end();
    await answerGoodbye(slow);
    expect(await client.closed).toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true });
    expect(slow.client.destroyed).toBe(true);
  });

  test('by loss of the second connection closes the first, since domains may have died with it', async () => {
    const { client, main, next } = await opened();
    const slow = await openedSlow(client, next);
    slow.socket.end();
    await answerGoodbye(main);
    expect(await client.closed).toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true });
    await expect(client.call('connectGetType', {})).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
  });

  test('gives up a second connection that is being opened', async () => {
    const { client, main, next } = await opened();
    const call = client.call('domainCreate', { dom });
    const slow = await next();
    await slow.expect('authList');
    const closing = client.close();
    await expect(call).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    expect(slow.client.destroyed).toBe(true);
    await answerGoodbye(main);
    await closing;
  });
});

test('a client that cannot connect rejects', async () => {
  const problem = new Error('no route');
  await expect(openClient({ uri: 'test:///default', dial: () => Promise.reject(problem) })).rejects.toBe(problem);
  expect(() => openClient({ uri: 'test:///default', maxInFlight: -1 })).toThrow(RangeError);
});
