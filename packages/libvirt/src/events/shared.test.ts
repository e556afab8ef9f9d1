import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../connection/contract.ts';
import type { DomainEventOf } from '../events/registration.ts';
import { connected, testDomain as dom, type ScriptedDaemon, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Subscription } from './subscription.ts';

const register = 'connectDomainEventCallbackRegisterAny';
const deregister = 'connectDomainEventCallbackDeregisterAny';
type Lifecycle = Subscription<DomainEventOf<'lifecycle'>>;

async function answer(daemon: ScriptedDaemon, callbackID: number): Promise<void> {
  daemon.reply(register, await daemon.expect(register), { callbackID });
}

async function twoSubscribers(): Promise<{ daemon: ScriptedDaemon; connection: Connection; subscribers: Lifecycle[] }> {
  const { daemon, connection } = await connected();
  const opening = [connection.domainEvents('lifecycle'), connection.domainEvents('lifecycle')];
  await answer(daemon, 4);
  return { daemon, connection, subscribers: await Promise.all(opening) };
}

describe('two subscribers to the same kind and object', () => {
  test('share one registration, and each gets every event as a value of its own', async () => {
    const { daemon, subscribers } = await twoSubscribers();
    daemon.lifecycle(4, 2);
    daemon.lifecycle(4, 5);
    const first: unknown[] = [];
    for (const events of subscribers) {
      const event = (await events.next()).value;
      first.push(event);
      expect(event?.event).toBe(2);
      expect((await events.next()).value?.event).toBe(5);
    }
    expect(first[0]).not.toBe(first[1]);
    await settle();
    expect(daemon.received).toEqual([]);
  });

  test('share it also when the second comes later, which then gets what happens from there on', async () => {
    const { daemon, connection, subscribers } = await twoSubscribers();
    daemon.lifecycle(4, 1);
    await settle();
    const third = await connection.domainEvents('lifecycle');
    daemon.lifecycle(4, 6);
    expect((await third.next()).value?.event).toBe(6);
    expect((await subscribers[0]?.next())?.value?.event).toBe(1);
  });

  test('both get the events that overtook the reply', async () => {
    const { daemon, connection } = await connected();
    const opening = [connection.domainEvents('lifecycle'), connection.domainEvents('lifecycle')];
    const call = await daemon.expect(register);
    daemon.lifecycle(4, 3);
    daemon.reply(register, call, { callbackID: 4 });
    for (const events of await Promise.all(opening)) expect((await events.next()).value?.event).toBe(3);
  });

  test('are deregistered when the last one leaves, not before', async () => {
    const { daemon, subscribers } = await twoSubscribers();
    await subscribers[0]?.[Symbol.asyncDispose]();
    daemon.lifecycle(4, 3);
    expect((await subscribers[1]?.next())?.value?.event).toBe(3);
    expect(daemon.received).toEqual([]);
    const disposing = subscribers[1]?.[Symbol.asyncDispose]();
    const call = await daemon.expect(deregister);
    expect(call.args).toEqual({ callbackID: 4 });
    daemon.reply(deregister, call, {});
    await disposing;
  });

  test('overflow one by one: a subscriber that does not read costs the others nothing', async () => {
    const { daemon, subscribers } = await twoSubscribers();
    const [reader, sleeper] = subscribers as [Lifecycle, Lifecycle];
    for (let count = 0; count < 1100; count += 1) {
      daemon.lifecycle(4, 2);
      expect((await reader.next()).done).toBe(false);
    }
    for (let count = 0; count < 1024; count += 1) await sleeper.next();
    await expect(sleeper.next()).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW' });
    daemon.lifecycle(4, 7);
    expect((await reader.next()).value?.event).toBe(7);
    expect(daemon.received).toEqual([]);
  });

  test('are both refused when the daemon refuses, and the next one asks again', async () => {
    const { daemon, connection } = await connected();
    const opening = [connection.domainEvents('lifecycle'), connection.domainEvents('lifecycle')];
    const outcomes = Promise.allSettled(opening);
    daemon.fail(await daemon.expect(register), 1);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { libvirtCode: 1 } });
    }
    const again = connection.domainEvents('lifecycle');
    await answer(daemon, 5);
    await again;
  });

  test('both end with the error of a lost connection', async () => {
    const { daemon, subscribers } = await twoSubscribers();
    const reads = Promise.allSettled(subscribers.map((events) => events.next()));
    daemon.socket.end();
    for (const read of await reads) {
      expect(read).toMatchObject({ status: 'rejected', reason: { code: 'LIBVIRT_CLOSED' } });
    }
  });

  test('that wait for different objects, kinds or patterns have registrations of their own', async () => {
    const { daemon, connection } = await connected();
    const other = { ...dom, uuid: new Uint8Array(16).fill(9) };
    const opening = [
      connection.domainEvents('lifecycle'),
      connection.domainEvents('lifecycle', { dom }),
      connection.domainEvents('lifecycle', { dom: other }),
      connection.domainEvents('reboot', { dom }),
    ];
    for (const [callbackID] of opening.entries()) await answer(daemon, callbackID);
    await Promise.all(opening);
    const monitors = [connection.monitorEvents({ event: 'STOP' }), connection.monitorEvents({ event: 'RESUME' })];
    for (const callbackID of [1, 2]) {
      const name = 'connectDomainMonitorEventRegister';
      daemon.reply(name, await daemon.expect(name), { callbackID });
    }
    await Promise.all(monitors);
  });

  test('count as the same object whatever id and name their handles carry', async () => {
    const { daemon, connection } = await connected();
    const opening = [
      connection.domainEvents('lifecycle', { dom }),
      connection.domainEvents('lifecycle', { dom: { ...dom, id: -1, name: 'renamed' } }),
    ];
    await answer(daemon, 1);
    await Promise.all(opening);
    expect(daemon.received).toEqual([]);
  });
});

describe('subscribing again', () => {
  test('while the deregistration is under way waits for its answer', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle');
    await answer(daemon, 4);
    const events = await opening;
    const disposing = events[Symbol.asyncDispose]();
    const end = await daemon.expect(deregister);
    const again = [connection.domainEvents('lifecycle'), connection.domainEvents('lifecycle')];
    await settle();
    expect(daemon.received).toEqual([]);
    daemon.reply(deregister, end, {});
    await disposing;
    await answer(daemon, 5);
    const subscribers = await Promise.all(again);
    daemon.lifecycle(5, 2);
    for (const subscriber of subscribers) expect((await subscriber.next()).value?.event).toBe(2);
  });

  test('uses the registration that the daemon would not end', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle');
    await answer(daemon, 4);
    const disposing = (await opening)[Symbol.asyncDispose]();
    daemon.fail(await daemon.expect(deregister), 1);
    await disposing;
    const again = await connection.domainEvents('lifecycle');
    daemon.lifecycle(4, 2);
    expect((await again.next()).value?.event).toBe(2);
  });

  test('after the signal gave a registration up joins that one', async () => {
    const { daemon, connection } = await connected();
    const controller = new AbortController();
    const first = connection.domainEvents('lifecycle', { signal: controller.signal });
    const call = await daemon.expect(register);
    controller.abort(new Error('not wanted'));
    await expect(first).rejects.toThrow('not wanted');
    const again = connection.domainEvents('lifecycle');
    daemon.reply(register, call, { callbackID: 4 });
    const events = await again;
    daemon.lifecycle(4, 2);
    expect((await events.next()).value?.event).toBe(2);
    expect(daemon.received).toEqual([]);
  });

  test('with a signal that is aborted already asks nobody', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.domainEvents('lifecycle', { signal: AbortSignal.abort(new Error('over')) });
    await expect(opening).rejects.toThrow('over');
    await settle();
    expect(daemon.received).toEqual([]);
  });

  test('gives up after the deadline of a call, and disposing waits no longer than that either', async () => {
    const clock = new VirtualClock();
    const { daemon, connection } = await connected({ clock });
    const opening = connection.domainEvents('lifecycle');
    await answer(daemon, 4);
    const disposing = (await opening)[Symbol.asyncDispose]();
    await daemon.expect(deregister);
    const again = connection.domainEvents('lifecycle');
    const outcome = expect(again).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
    clock.advance(30_000);
    await outcome;
    await disposing;
  });

  test('in any order, with any aborts, never has two registrations of one kind, and leaves none behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('subscribe', 'abort', 'reply'), { maxLength: 40 }), async (steps) => {
        const { daemon, connection } = await connected();
        const controllers: AbortController[] = [];
        const outcomes: Promise<unknown>[] = [];
        let registered = 0;
        let nextId = 0;
        const reply = async (): Promise<boolean> => {
          await settle();
          const call = daemon.received[0];
          if (call === undefined) return false;
          if (call.procedure === 316) {
            expect(registered).toBe(0);
            registered += 1;
            await answer(daemon, nextId++);
          } else {
            registered -= 1;
            daemon.reply(deregister, await daemon.expect(deregister), {});
          }
          await settle();
          return true;
        };
        for (const step of steps) {
          if (step === 'subscribe') {
            const controller = new AbortController();
            controllers.push(controller);
            outcomes.push(connection.domainEvents('lifecycle', { signal: controller.signal }).catch(() => {}));
          } else if (step === 'abort') controllers.shift()?.abort(new Error('over'));
          else await reply();
        }
        for (const controller of controllers) controller.abort(new Error('over'));
        while (await reply());
        await Promise.all(outcomes);
        expect(registered).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
