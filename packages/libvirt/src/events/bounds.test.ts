import { expect, test } from 'vitest';
import { connected, testDomain as dom, settle } from '../testing/scripted-daemon.ts';
import { EventQueue, subscriptionCapacity, subscriptionMaxBytes } from './subscription.ts';

const registerName = 'connectDomainEventCallbackRegisterAny';

test('a few giant events overflow a subscription as many small ones do', async () => {
  let released = 0;
  const queue = new EventQueue<number>(async () => {
    released += 1;
  });
  queue.push(1, subscriptionMaxBytes - 10);
  queue.push(2, 10);
  queue.push(3, 1);
  expect(released).toBe(1);
  expect(await queue.next()).toEqual({ done: false, value: 1 });
  expect(await queue.next()).toEqual({ done: false, value: 2 });
  await expect(queue.next()).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW', retryable: true });
});

test('what was read makes room again, even when the queue is never empty', async () => {
  const queue = new EventQueue<number>(async () => {});
  queue.push(0, 4_000_000);
  for (let count = 1; count <= 5 * subscriptionCapacity; count += 1) {
    queue.push(count, 4_000_000);
    expect((await queue.next()).value).toBe(count - 1);
  }
});

test('a callback id that is in use already is a broken registration, and the first subscription goes on', async () => {
  const { daemon, connection } = await connected();
  const first = connection.domainEvents('lifecycle');
  daemon.reply(registerName, await daemon.expect(registerName), { callbackID: 4 });
  const events = await first;
  const second = connection.domainEvents('lifecycle', { dom });
  daemon.reply(registerName, await daemon.expect(registerName), { callbackID: 4 });
  await expect(second).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
  daemon.lifecycle(4, 5);
  await settle();
  expect((await events.next()).value).toMatchObject({ event: 5 });
});
