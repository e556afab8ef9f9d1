import { describe, expect, test } from 'vitest';
import { keptPool, type RawClient, rawClient } from '../fixtures/kept-pool.ts';
import { dataFrame } from '../protocol/frame.ts';
import { INPUT_WINDOW_BYTES, MOST_CALLS } from '../protocol/limits.ts';
import { asLease, asStatus } from '../protocol/reply-check.ts';

const HELLO = { type: 'hello', protocol: 1 };
const exec = { type: 'exec', command: ['cat'], environment: {}, hasInput: true, isStreamed: true };

async function lease(client: RawClient): Promise<void> {
  client.send(HELLO);
  client.send({ type: 'lease', call: 1 });
  await client.hears('result');
}

describe('a connection', () => {
  test.each<[string, (client: RawClient) => void, RegExp]>([
    ['asks before hello', (client) => client.send({ type: 'status', call: 1 }), /before hello/],
    ['speaks another version', (client) => client.send({ type: 'hello', protocol: 99 }), /same version of warmvm/],
    ['says hello twice', (client) => [HELLO, HELLO].map(client.send), /once is enough/],
    ['sends what is no JSON', (client) => void client.socket.write(Buffer.from([0, 0, 0, 1, 1, 65])), /no JSON/],
    ['announces a frame without end', (client) => void client.socket.write(Buffer.alloc(5, 255)), /longer than/],
    [
      'uses a number twice',
      (client) => [HELLO, ...[1, 1].map((call) => ({ type: 'status', call }))].map(client.send),
      /only grow/,
    ],
    ['sends data unasked', (client) => void client.socket.write(dataFrame(5, Buffer.from('x'))), /not asked for/],
    [
      'writes standard error',
      (client) => void client.socket.write(dataFrame(1, Buffer.from('x'), 'errorData')),
      /one way only/,
    ],
    ['asks for what there is not', (client) => [HELLO, { type: 'root', call: 1 }].map(client.send), /request/],
    [
      'asks too much at once',
      (client) =>
        [HELLO, ...Array.from({ length: MOST_CALLS + 1 }, (_, index) => ({ type: 'events', call: index + 1 }))].map(
          client.send,
        ),
      /calls at a time/,
    ],
  ])('that %s is told so and ended, and the pool goes on', async (_what, misbehave, words) => {
    await using kept = await keptPool();
    using client = await rawClient(kept.path);
    misbehave(client);
    expect((await client.hears('refused')).error.message).toMatch(words);
    await client.closed;
    using other = await rawClient(kept.path);
    await lease(other);
  });

  test.each([
    ['a call on a machine that it has not', { type: 'ping', call: 1 }, /no lease/],
    ['a return of nothing', { type: 'return', call: 1, how: 'release' }, /no lease/],
  ])('that asks for %s is refused that alone', async (_what, request, words) => {
    await using kept = await keptPool();
    using client = await rawClient(kept.path);
    client.send(HELLO);
    client.send(request);
    expect((await client.hears('failure')).error.message).toMatch(words);
    client.send({ type: 'status', call: 2 });
    expect((await client.hears('result')).value).toMatchObject({ pool: 'default', connections: 1 });
  });

  test('has one lease, and one call on its machine at a time', async () => {
    await using kept = await keptPool();
    using client = await rawClient(kept.path);
    await lease(client);
    client.send({ type: 'lease', call: 2 });
    expect((await client.hears('failure')).error.message).toMatch(/one lease at a time/);
    client.send({ ...exec, call: 3 });
    client.send({ type: 'ping', call: 4 });
    await expect.poll(() => client.replies().filter(({ type }) => type === 'failure').length).toBe(2);
    expect(client.replies()).toContainEqual(expect.objectContaining({ type: 'failure', call: 4 }));
  });

  test('that says which process it is has its lease shown with that', async () => {
    await using kept = await keptPool({ pool: { minReady: 2, max: 2 } });
    using named = await rawClient(kept.path);
    using nameless = await rawClient(kept.path);
    named.send({ ...HELLO, pid: 4711 });
    named.send({ type: 'lease', call: 1 });
    const { slot } = asLease((await named.hears('result')).value);
    await lease(nameless);
    nameless.send({ type: 'status', call: 2 });
    await expect.poll(() => nameless.replies().length).toBe(3);
    const { slots } = asStatus((nameless.replies()[2] as { value: unknown }).value);
    expect(slots.map(({ state }) => state)).toEqual(['leased', 'leased']);
    expect(slots.map(({ clientPid }) => clientPid).toSorted()).toEqual([4711, null]);
    expect(slots.find(({ clientPid }) => clientPid === 4711)?.slot).toBe(slot);
  });

  test('may send as much input as the window holds, and no more', async () => {
    await using kept = await keptPool();
    using client = await rawClient(kept.path);
    await lease(client);
    // A program that reads nothing.
    client.send({ ...exec, command: ['sleep', '60'], call: 2 });
    for (let sent = 0; sent < INPUT_WINDOW_BYTES * 2; sent += 65_536) {
      client.socket.write(dataFrame(2, Buffer.alloc(65_536)));
    }
    expect((await client.hears('refused')).error.message).toMatch(/not asked for/);
  });

  test('that ends gives its machine back, which is reset before anybody has it again', async () => {
    await using kept = await keptPool({ pool: { minReady: 0, max: 1 } });
    const first = await rawClient(kept.path);
    await lease(first);
    first.send({ ...exec, command: ['sh', '-c', 'true'], call: 2 });
    first.socket.destroy();
    using second = await rawClient(kept.path);
    await lease(second);
    const { counters, slots } = kept.pool.stats();
    expect(counters).toMatchObject({ acquired: 2, released: 1, resets: 1, created: 1 });
    expect(slots.leased).toBe(1);
  });

  test('that ends while it waits for a machine leaves the line', async () => {
    await using kept = await keptPool({ pool: { minReady: 0, max: 1 } });
    using holder = await rawClient(kept.path);
    await lease(holder);
    const waiter = await rawClient(kept.path);
    waiter.send(HELLO);
    waiter.send({ type: 'lease', call: 1 });
    await expect.poll(() => kept.pool.stats().waiting).toBe(1);
    waiter.socket.destroy();
    await expect.poll(() => kept.pool.stats().waiting).toBe(0);
  });

  test('that sends no more counts as ended, though it still listens', async () => {
    await using kept = await keptPool();
    using client = await rawClient(kept.path);
    await lease(client);
    client.socket.end();
    await expect.poll(() => kept.pool.stats().counters.released).toBe(1);
  });

  test('is told when its machine is taken away', async () => {
    await using kept = await keptPool();
    using client = await rawClient(kept.path);
    await lease(client);
    for (const { id } of kept.host.machines()) kept.host.crash(id);
    expect((await client.hears('lost')).error.code).toBe('WARMVM_MACHINE_CRASHED');
  });
});
