import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { DaemonClients } from './daemon-clients.ts';
import { QuickClock } from './fixtures/quick-clock.ts';
import { owner, World } from './fixtures/world.ts';

const stream = (): Duplex => new Duplex({ read() {}, write() {} });

/** Two places, a dialler that can be told to fail, and what it has opened. */
function twoPlaces() {
  const clock = new QuickClock();
  const opened: Duplex[] = [];
  const far = { fails: false };
  const clients = new DaemonClients(
    async () => {
      if (far.fails) throw new Error('no route');
      opened.push(stream());
      return opened.at(-1)!;
    },
    2,
    clock,
  );
  return { clock, opened, far, dial: (signal?: AbortSignal) => clients.dial(signal === undefined ? {} : { signal }) };
}

const REFUSED = {
  code: 'WARMVM_HOST_OPERATION',
  retryable: true,
  details: { maxClients: 2, remedy: expect.stringContaining('max_clients') },
};

test('connections are counted from the dialling to the close, and one more is refused', async () => {
  const { clock, opened, far, dial } = twoPlaces();
  await Promise.all([dial(), dial()]);
  const refused = expect(dial()).rejects.toMatchObject(REFUSED);
  await clock.advance(2_000);
  await refused;
  opened[0]!.destroy();
  await clock.virtual.settle();
  far.fails = true;
  await expect(dial()).rejects.toThrow('no route');
  far.fails = false;
  await dial();
  const again = expect(dial()).rejects.toMatchObject(REFUSED);
  await clock.advance(2_000);
  await again;
});

test('one more has the place of one that is just being closed, unless nobody waits for it any longer', async () => {
  const { opened, dial } = twoPlaces();
  await Promise.all([dial(), dial()]);
  const reason = new Error('not wanted');
  const controller = new AbortController();
  const left = expect(dial(controller.signal)).rejects.toBe(reason);
  const waiting = dial();
  controller.abort(reason);
  await left;
  opened[0]!.destroy();
  await waiting;
  expect(opened).toHaveLength(3);
  await expect(dial(AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a machine more than the daemon has connections for is refused, says why, and leaves nothing', async () => {
  await using world = await World.create({ maxClients: 3 });
  const golden = await world.prepare();
  const machine = await world.driver.fork(golden, { owner });
  const before = world.host.inventory;
  const refused = expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({
    code: 'WARMVM_FORK_FAILED',
    retryable: true,
    cause: { message: expect.stringContaining('raise maxClients') },
  });
  for (let elapsedMs = 0; elapsedMs < 5_000; elapsedMs += 500) await world.clock.advance(500);
  await refused;
  expect(world.host.inventory).toEqual(before);
  await machine[Symbol.asyncDispose]();
  await world.driver.fork(golden, { owner });
});

test('a daemon that takes a connection and stays silent is told from one that is not there', async () => {
  await using world = await World.create();
  world.host.script('authList', () => 'hang');
  const asking = expect(world.driver.ping()).rejects.toMatchObject({
    code: 'WARMVM_HOST_UNREACHABLE',
    retryable: true,
    details: { remedy: expect.stringContaining('max_clients') },
  });
  await world.clock.virtual.settle();
  await world.clock.advance(10_000);
  await asking;
});
