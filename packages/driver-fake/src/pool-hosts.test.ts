import {
  Backoff,
  createPool,
  type Driver,
  type OwnerTag,
  type Pool,
  type PoolEvent,
  type PoolOptions,
} from '@warmvm/core';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { createFakeDriver, createFakeHost, type FakeDriver, type FakeHost, fakeImage } from './index.ts';

const image = fakeImage();
const adoptions = ['reset', 'remove'] as const;
const creationBackoff = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });

interface PoolOnFake {
  readonly pool: Pool;
  readonly events: PoolEvent[];
}

function openPool(
  clock: VirtualClock,
  drivers: PoolOptions['drivers'],
  options: Partial<PoolOptions> = {},
): PoolOnFake {
  const size = { minReady: 2, max: 4 };
  const pool = createPool({ drivers: drivers!, image, clock, random: () => 0.5, creationBackoff, ...size, ...options });
  const events: PoolEvent[] = [];
  (async () => {
    for await (const event of pool.events()) events.push(event);
  })().catch(() => {});
  return { pool, events };
}

/** As if made by a process of this very id that ran before this one, and has ended. */
function ofTheDead(owner: OwnerTag): OwnerTag {
  return { ...owner, process: { ...owner.process, startTime: '1' } };
}

/** The driver, but all that it makes carries the mark of a process that is dead. */
function markedByTheDead(driver: FakeDriver): Driver {
  return {
    specificationVersion: 1,
    name: driver.name,
    capabilities: driver.capabilities,
    prepare: (wanted, options) => driver.prepare(wanted, { ...options, owner: ofTheDead(options.owner) }),
    fork: (golden, options) => driver.fork(golden, { ...options, owner: ofTheDead(options.owner) }),
    list: (owner, options) => driver.list(owner, options),
    adopt: (record, options) => driver.adopt(record, options),
    remove: (record, options) => driver.remove(record, options),
    ping: (options) => driver.ping(options),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

async function closeAll(clock: VirtualClock, pools: readonly Pool[], drivers: readonly FakeDriver[]): Promise<void> {
  const closing = Promise.all(pools.map((pool) => pool.close()));
  await clock.advance(60_000);
  await closing;
  const disposing = Promise.all(drivers.map((driver) => driver[Symbol.asyncDispose]()));
  await clock.advance(60_000);
  await disposing;
}

const idsOn = (host: FakeHost): readonly string[] => host.machines().map(({ id }) => id);

describe('a pool on what a dead process left on two hosts', () => {
  test.each(adoptions)('with adopt %s lends nothing of its tenants and leaves nothing behind', async (adopt) => {
    const clock = new VirtualClock();
    const hosts = ['north', 'south'].map((name) => createFakeHost({ name, clock }));
    const dead = hosts.map((host) => createFakeDriver({ host }));
    const first = openPool(
      clock,
      dead.map((driver, index) => ({ driver: markedByTheDead(driver), name: hosts[index]!.name })),
    );
    await clock.advance(1_000);
    const lent = [await first.pool.acquire(), await first.pool.acquire()];
    for (const { guest } of lent) {
      const writing = Promise.all(['/tmp/secret', '/disk/secret'].map((path) => guest.writeFile(path, 'of the dead')));
      await clock.advance(1_000);
      await writing;
    }
    const before = new Map(lent.map(({ host, machineId, generation }) => [`${host} ${machineId}`, generation]));
    const left = hosts.map(idsOn);
    expect(left.flat().length).toBeGreaterThanOrEqual(3);
    for (const driver of dead) driver.abandon();

    const living = hosts.map((host) => createFakeDriver({ host }));
    const drivers = living.map((driver, index) => ({ driver, name: hosts[index]!.name }));
    const second = openPool(clock, drivers, { minReady: 3, adopt });
    await clock.advance(5_000);
    const { slots, counters, total } = second.pool.stats();
    expect(slots.ready).toBe(3);
    expect(hosts.flatMap(idsOn)).toHaveLength(total);
    expect(counters.adopted).toBe(adopt === 'reset' ? 3 : 0);
    const swept = second.events.flatMap((event) => (event.type === 'swept' ? [event] : []));
    for (const [index, host] of hosts.entries()) {
      const mine = swept.filter((event) => event.host === host.name);
      const named = mine
        .flatMap((event) => [...event.removed, ...event.adopted])
        .filter((id) => id.startsWith('machine'));
      expect(named.sort()).toEqual([...left[index]!].sort());
    }
    const leases = await Promise.all([1, 2, 3].map(() => second.pool.acquire()));
    expect(new Set(leases.map(({ host, machineId }) => `${host} ${machineId}`)).size).toBe(3);
    for (const lease of leases) {
      for (const path of ['/tmp/secret', '/disk/secret']) {
        const reading = lease.guest.exec(['cat', path]);
        await clock.advance(1_000);
        expect((await reading).exitCode).toBe(1);
      }
      const earlier = before.get(`${lease.host} ${lease.machineId}`);
      if (earlier !== undefined) expect(lease.generation).toBeGreaterThan(earlier);
      if (adopt === 'remove')
        expect(left[hosts.findIndex(({ name }) => name === lease.host)]).not.toContain(lease.machineId);
    }
    await closeAll(clock, [first.pool, second.pool], [...dead, ...living]);
    expect(hosts.flatMap(idsOn)).toEqual([]);
    // A golden snapshot of the dead on which adopted machines rested stays, for the next process to put away.
    const last = hosts.map((host) => createFakeDriver({ host }));
    const third = openPool(clock, last);
    await clock.advance(5_000);
    await closeAll(clock, [third.pool], last);
    for (const host of hosts) expect(host.objects().total).toBe(0);
  });
});

describe('a pool of two hosts of which one is cut off', () => {
  test.each(adoptions)(
    'with adopt %s goes on with the other, and takes the first back when it answers',
    async (adopt) => {
      const clock = new VirtualClock();
      const hosts = ['north', 'south'].map((name) => createFakeHost({ name, clock }));
      const drivers = hosts.map((host) => createFakeDriver({ host }));
      const [north] = hosts as [FakeHost, FakeHost];
      const entries = drivers.map((driver, index) => ({ driver, name: hosts[index]!.name }));
      const { pool, events } = openPool(clock, entries, { adopt });
      await clock.advance(1_000);
      const leases = await Promise.all([pool.acquire(), pool.acquire()]);
      await clock.advance(1_000);
      expect(pool.stats().hosts.map(({ total }) => total)).toEqual([2, 2]);
      const fired: string[] = [];
      for (const lease of leases) lease.signal.addEventListener('abort', () => fired.push(lease.host));

      north.lose();
      await clock.advance(1_000);
      expect(fired).toEqual(leases.flatMap(({ host }) => (host === 'north' ? ['north'] : [])));
      expect(pool.stats()).toMatchObject({
        hosts: [{ state: 'down', total: 0 }, { state: 'up' }],
        counters: { lost: fired.length },
      });
      expect(pool.stats().slots.ready).toBe(2);
      // What lives there lives on, unseen, with its marks.
      expect(idsOn(north)).toHaveLength(2);
      const stranded = idsOn(north);

      north.restore();
      await clock.advance(60_000);
      expect(pool.stats().hosts[0]).toMatchObject({ state: 'up', isPrepared: true });
      expect(idsOn(north)).toHaveLength(pool.stats().hosts[0]!.total);
      const swept = events.flatMap((event) =>
        event.type === 'swept' && event.host === 'north' ? [...event.removed, ...event.adopted] : [],
      );
      expect(swept.filter((id) => id.startsWith('machine')).sort()).toEqual([...stranded].sort());
      expect(events.filter(({ type }) => type === 'host-down' || type === 'host-up')).toHaveLength(2);

      pool.resize({ minReady: 4 });
      const drained = pool.drain('south');
      for (const lease of leases) await lease.release();
      await clock.advance(5_000);
      expect(await drained).toBe(true);
      expect(pool.stats().hosts.map(({ slots }) => slots.ready)).toEqual([4, 0]);
      await closeAll(clock, [pool], drivers);
      for (const host of hosts) expect(host.objects().total).toBe(0);
    },
  );

  test('by silence finds that out within its bound, and nobody waits for what hangs there', async () => {
    const clock = new VirtualClock();
    const hosts = ['north', 'south'].map((name) => createFakeHost({ name, clock }));
    let isSilent = false;
    const faults = () => (isSilent ? { hang: true } : undefined);
    const north = createFakeDriver({ host: hosts[0]!, faults });
    const south = createFakeDriver({ host: hosts[1]! });
    const heartbeat = { everyMs: 1_000, timeoutMs: 400, misses: 2 };
    const entries = [
      { driver: north, name: 'north' },
      { driver: south, name: 'south' },
    ];
    const { pool, events } = openPool(clock, entries, { heartbeat, destroyTimeoutMs: 3_000 });
    await clock.advance(10_000);
    isSilent = true;
    await clock.advance(1_800);
    expect(pool.stats().hosts[0]?.state).toBe('down');
    await clock.advance(1_000);
    expect(pool.stats().hosts[1]?.slots.ready).toBe(2);
    isSilent = false;
    north.resumeHung();
    await clock.advance(60_000);
    expect(events.filter(({ type }) => type === 'host-down' || type === 'host-up')).toHaveLength(2);
    expect(pool.stats().hosts[0]).toMatchObject({ state: 'up', slots: { quarantined: 0 } });
    await closeAll(clock, [pool], [north, south]);
    for (const host of hosts) expect(host.objects().total).toBe(0);
  });
});
