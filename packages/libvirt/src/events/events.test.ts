import { describe, expect, test } from 'vitest';
import { encodePacket, Program } from '../frame/index.ts';
import { payloadCodec } from '../procedures/notation.ts';
import { connected, testDomain as dom, type ScriptedDaemon, settle } from '../testing/scripted-daemon.ts';
import { i32 } from '../xdr/index.ts';
import { domainEventKinds, networkEventKinds, qemuMonitorEventKinds, storagePoolEventKinds } from './kinds.ts';
import type { EventKindEntry } from './registration.ts';

const register = 'connectDomainEventCallbackRegisterAny';
const deregister = 'connectDomainEventCallbackDeregisterAny';

function send(
  daemon: ScriptedDaemon,
  program: number,
  kind: EventKindEntry,
  callbackId: number,
  value: Readonly<Record<string, unknown>>,
): void {
  const header = { program, procedure: kind.message, type: 2, serial: 1, status: 0 };
  daemon.send(
    encodePacket(header, (writer) => {
      i32.encode(writer, callbackId);
      payloadCodec(kind.payload).encode(writer, value);
    }),
  );
}

async function subscribed(callbackID = 0) {
  const { daemon, connection } = await connected();
  const opening = connection.domainEvents('lifecycle');
  daemon.reply(register, await daemon.expect(register), { callbackID });
  return { daemon, connection, events: await opening };
}

describe('a subscription', () => {
  test('registers for its kind and one domain, and gives the events', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('agentLifecycle', { dom });
    const call = await daemon.expect(register);
    expect(call.args).toEqual({ eventID: 18, dom });
    daemon.reply(register, call, { callbackID: 5 });
    const events = await opening;
    send(daemon, Program.REMOTE, domainEventKinds.agentLifecycle, 5, { dom, state: 1, reason: 2 });
    expect(await events.next()).toEqual({ done: false, value: { dom, state: 1, reason: 2 } });
  });

  test('gets events that overtook the reply, and only its own', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle');
    const call = await daemon.expect(register);
    daemon.lifecycle(28, 2);
    daemon.lifecycle(99, 1);
    daemon.lifecycle(28, 4);
    daemon.reply(register, call, { callbackID: 28 });
    daemon.lifecycle(28, 5);
    const events = await opening;
    const seen = [await events.next(), await events.next(), await events.next()];
    expect(seen.map(({ value }) => value?.event)).toEqual([2, 4, 5]);
  });

  test('ends with an overflow when too many events overtook the reply', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle');
    const call = await daemon.expect(register);
    for (let count = 0; count < 1025; count += 1) daemon.lifecycle(1, 2);
    daemon.reply(register, call, { callbackID: 1 });
    const events = await opening;
    for (let count = 0; count < 1024; count += 1) await events.next();
    await expect(events.next()).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW' });
  });

  test('is not confused by the same callback id of another kind of object', async () => {
    const { daemon, connection, events } = await subscribed(0);
    const opening = connection.storagePoolEvents('lifecycle');
    const call = await daemon.expect('connectStoragePoolEventRegisterAny');
    daemon.reply('connectStoragePoolEventRegisterAny', call, { callbackID: 0 });
    const pools = await opening;
    const pool = { name: 'p', uuid: dom.uuid };
    send(daemon, Program.REMOTE, storagePoolEventKinds.lifecycle, 0, { pool, event: 2, detail: 0 });
    daemon.lifecycle(0, 3);
    expect((await pools.next()).value).toEqual({ pool, event: 2, detail: 0 });
    expect((await events.next()).value?.event).toBe(3);
  });

  test('of networks works alike', async () => {
    const { daemon, connection } = await connected();
    const net = { name: 'default', uuid: dom.uuid };
    const opening = connection.networkEvents('lifecycle', { net });
    const call = await daemon.expect('connectNetworkEventRegisterAny');
    expect(call.args).toEqual({ eventID: 0, net });
    daemon.reply('connectNetworkEventRegisterAny', call, { callbackID: 1 });
    const events = await opening;
    send(daemon, Program.REMOTE, networkEventKinds.lifecycle, 1, { net, event: 2, detail: 0 });
    expect((await events.next()).value).toEqual({ net, event: 2, detail: 0 });
  });

  test('of the qemu monitor gives events without details too', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.monitorEvents({ event: 'RESUME', dom });
    const call = await daemon.expect('connectDomainMonitorEventRegister');
    expect(call.args).toEqual({ dom, event: 'RESUME', flags: 0 });
    daemon.reply('connectDomainMonitorEventRegister', call, { callbackID: 2 });
    const events = await opening;
    const value = { dom, event: 'RESUME', seconds: 12n, micros: 5, details: undefined };
    send(daemon, Program.QEMU, qemuMonitorEventKinds.monitor, 2, value);
    expect((await events.next()).value).toEqual(value);
    const disposing = events[Symbol.asyncDispose]();
    const end = await daemon.expect('connectDomainMonitorEventDeregister');
    expect(end.args).toEqual({ callbackID: 2 });
    daemon.reply('connectDomainMonitorEventDeregister', end, {});
    await disposing;
  });

  test('hands events to consumers that wait, in order', async () => {
    const { daemon, events } = await subscribed(4);
    const waiting = [events.next(), events.next()];
    daemon.lifecycle(4, 1);
    daemon.lifecycle(4, 2);
    expect((await Promise.all(waiting)).map(({ value }) => value?.event)).toEqual([1, 2]);
  });

  test('rejects when the registration is refused', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('nicMacChange');
    daemon.fail(await daemon.expect(register), 1);
    await expect(opening).rejects.toMatchObject({ libvirtCode: 1 });
  });

  test('refuses a kind that does not exist', async () => {
    const { connection } = await connected();
    await expect(connection.domainEvents('toString' as 'lifecycle')).rejects.toThrow('lifecycle, reboot');
  });

  test('that nobody reads ends with an overflow after what it holds, and deregisters', async () => {
    const { daemon, events } = await subscribed(4);
    for (let count = 0; count < 1030; count += 1) daemon.lifecycle(4, 2);
    daemon.reply(deregister, await daemon.expect(deregister), {});
    for (let count = 0; count < 1024; count += 1) expect((await events.next()).done).toBe(false);
    await expect(events.next()).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW', retryable: true });
  });

  test('ends with an error on an event that cannot be decoded, and the connection goes on', async () => {
    const { daemon, connection, events } = await subscribed(4);
    const header = { program: Program.REMOTE, procedure: 318, type: 2, serial: 1, status: 0 };
    daemon.send(encodePacket(header, (writer) => i32.encode(writer, 4)));
    await expect(events.next()).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
    daemon.reply(deregister, await daemon.expect(deregister), {});
    const call = connection.call('connectGetType', {});
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'x' });
    expect(await call).toEqual({ type: 'x' });
  });
});

describe('disposing a subscription', () => {
  test('deregisters once, ends the iteration, and tolerates late events', async () => {
    const { daemon, events } = await subscribed(4);
    daemon.lifecycle(4, 2);
    await settle();
    const disposing = Promise.all([events[Symbol.asyncDispose](), events[Symbol.asyncDispose]()]);
    const call = await daemon.expect(deregister);
    expect(call.args).toEqual({ callbackID: 4 });
    daemon.lifecycle(4, 5);
    daemon.reply(deregister, call, {});
    await disposing;
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await settle();
    expect(daemon.received).toEqual([]);
  });

  test('is what leaving the loop does', async () => {
    const { daemon, events } = await subscribed(4);
    daemon.lifecycle(4, 2);
    const loop = (async () => {
      for await (const event of events) return event.event;
      return undefined;
    })();
    daemon.reply(deregister, await daemon.expect(deregister), {});
    expect(await loop).toBe(2);
  });

  test('does not fail when the daemon refuses to deregister', async () => {
    const { daemon, events } = await subscribed(4);
    const disposing = events[Symbol.asyncDispose]();
    daemon.fail(await daemon.expect(deregister), 1);
    await disposing;
  });
});

describe('the signal of a subscription', () => {
  test('gives up the registration, and a late reply is deregistered', async () => {
    const { daemon, connection } = await connected();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const opening = connection.domainEvents('lifecycle', { signal: controller.signal });
    const call = await daemon.expect(register);
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    daemon.reply(register, call, { callbackID: 9 });
    const end = await daemon.expect(deregister);
    expect(end.args).toEqual({ callbackID: 9 });
    daemon.reply(deregister, end, {});
  });

  test('later ends the subscription with its reason', async () => {
    const { daemon, connection } = await connected();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const opening = connection.domainEvents('lifecycle', { signal: controller.signal });
    daemon.reply(register, await daemon.expect(register), { callbackID: 9 });
    const events = await opening;
    const next = events.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    daemon.reply(deregister, await daemon.expect(deregister), {});
  });
});
