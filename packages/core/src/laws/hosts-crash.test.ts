import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MachineRecord } from '../driver/index.ts';
import type { Lease } from '../pool/lease.ts';
import type { StubCallKind } from '../testing/index.ts';
import { lawRuns } from './fixtures/law-runs.ts';
import { crashProcess, type HostProcess, SharedHost, startProcess } from './fixtures/shared-host.ts';

const size = { minReady: 3, max: 5 };
const adopt = fc.constantFrom('reset' as const, 'remove' as const);
const stuckCalls = fc.subarray<StubCallKind>(['fork', 'reset', 'probe', 'dispose']);

function makeHosts(): readonly [SharedHost, SharedHost] {
  return [new SharedHost(), new SharedHost()];
}

/** Machines of different hosts may have the same id. */
function nameOf(lease: Lease): string {
  return `${lease.host} ${lease.machineId}`;
}

/** Uses a pool a little, lets some calls hang on one of its hosts, and crashes it; gives the leases it had granted. */
async function useAndCrash(
  hosts: readonly SharedHost[],
  process: HostProcess,
  stuck: readonly StubCallKind[],
  lent: number,
): Promise<readonly Lease[]> {
  await process.pool.ready();
  const granted: Lease[] = [await process.pool.acquire(), await process.pool.acquire()];
  for (const lease of granted) await lease.release();
  await process.clock.settle();
  for (const kind of stuck) process.stub.answer(kind, 'manual');
  for (let count = 0; count < lent; count += 1) {
    process.pool.acquire({ timeoutMs: 10 }).then(
      (lease) => granted.push(lease),
      () => {},
    );
  }
  await process.clock.settle();
  await granted.find((lease) => lease.status === 'active')?.release();
  await process.clock.settle();
  crashProcess(hosts, process);
  return granted;
}

function machinesOn(host: SharedHost): readonly MachineRecord[] {
  return [...host.records.values()].filter(({ id }) => id.startsWith('vm-'));
}

test('laws 22, 46 and 48: after a crash every marked machine of each host is adopted and reset, or destroyed', async () => {
  const property = fc.asyncProperty(adopt, stuckCalls, fc.nat({ max: 3 }), async (how, stuck, lent) => {
    const hosts = makeHosts();
    const before = await useAndCrash(hosts, startProcess(hosts, 'first', size), stuck, lent);
    const left = hosts.map((host) => machinesOn(host).map(({ id }) => id));
    const actsBefore = hosts.map((host) => host.acts.length);
    const second = startProcess(hosts, 'second', { ...size, adopt: how });
    await second.clock.advance(20_000);
    const stats = second.pool.stats();
    expect(stats.slots.ready, 'law 46: the pool is full').toBe(size.minReady);
    for (const [index, host] of hosts.entries()) {
      const acts = host.acts.slice(actsBefore[index]);
      expect(machinesOn(host).length, 'law 46: none is leaked').toBe(stats.hosts[index]?.total);
      for (const id of left[index]!) {
        const isAdopted = acts.some((act) => act.kind === 'adopt' && act.id === id);
        const isRemoved = acts.some((act) => act.kind === 'remove' && act.id === id);
        const isReset = acts.some((act) => act.kind === 'reset' && act.id === id);
        expect(isAdopted !== isRemoved, `law 46: ${id} is adopted or removed`).toBe(true);
        if (isAdopted) expect(isReset, 'law 48: what was adopted is reset').toBe(true);
      }
    }
    const leases = await Promise.all([1, 2, 3].map(() => second.pool.acquire()));
    expect(new Set(leases.map(nameOf)).size, 'law 46: none is lent twice').toBe(3);
    for (const lease of leases) {
      for (const earlier of before.filter((other) => nameOf(other) === nameOf(lease))) {
        expect(lease.turn, 'law 22: turns grow across adoption').toBeGreaterThan(earlier.turn);
        expect(lease.generation, 'law 48: no generation is lent twice').toBeGreaterThan(earlier.generation);
      }
    }
    const closing = second.pool.close();
    await second.clock.advance(1_000);
    await closing;
    for (const host of hosts) expect(host.records.size, 'law 46: nothing is left').toBe(0);
  });
  await fc.assert(property, lawRuns(60));
});

test('law 46: what was left on a host that cannot be reached at start is put away when it is back', async () => {
  const property = fc.asyncProperty(adopt, fc.integer({ min: 1, max: 60_000 }), async (how, downMs) => {
    const hosts = makeHosts();
    await useAndCrash(hosts, startProcess(hosts, 'first', size), [], 1);
    const [kept, away] = hosts;
    away.lose();
    const second = startProcess(hosts, 'second', { ...size, adopt: how });
    await second.clock.advance(downMs);
    expect(second.pool.stats().slots.ready, 'law 45: one host is enough').toBe(size.minReady);
    away.restore();
    await second.clock.advance(60_000);
    for (const [index, host] of [kept, away].entries()) {
      expect(machinesOn(host).length, 'law 46: none is leaked').toBe(second.pool.stats().hosts[index]?.total);
    }
    const closing = second.pool.close();
    await second.clock.advance(1_000);
    await closing;
    for (const host of hosts) expect(host.records.size, 'law 46: nothing is left').toBe(0);
  });
  await fc.assert(property, lawRuns(20));
});

test('law 47: two live pools over the same hosts act on their own machines alone, and on each machine of the dead only one of them', async () => {
  const property = fc.asyncProperty(
    adopt,
    adopt,
    fc.array(fc.boolean(), { maxLength: 12 }),
    fc.boolean(),
    async (howA, howB, schedule, isFlickering) => {
      const hosts = makeHosts();
      await useAndCrash(hosts, startProcess(hosts, 'dead', size), [], 1);
      const dead = hosts.map((host) => machinesOn(host).map(({ id }) => id));
      const a = startProcess(hosts, 'a', { ...size, adopt: howA });
      // Its hosts are the same in another order, as another process may well have them.
      const b = startProcess([...hosts].reverse(), 'b', { ...size, adopt: howB });
      for (const { stub } of [...a.links, ...b.links]) {
        for (const kind of ['adopt', 'remove', 'list'] as const) stub.answer(kind, { delayMs: 10 });
      }
      for (const isA of schedule) await (isA ? a : b).clock.advance(5);
      await a.clock.advance(20_000);
      await b.clock.advance(20_000);
      if (isFlickering) {
        hosts[0].lose();
        hosts[0].restore();
        await a.clock.advance(20_000);
        await b.clock.advance(20_000);
      }
      for (const [index, host] of hosts.entries()) {
        for (const id of dead[index]!) {
          const actors = host.acts.filter((act) => act.id === id && act.process !== 'dead').map((act) => act.process);
          expect(new Set(actors).size, `law 47: exactly one may act on ${id}`).toBe(1);
        }
        const makers = new Map(host.acts.filter(({ kind }) => kind === 'fork').map(({ id, process }) => [id, process]));
        const strange = host.acts.filter(({ id, process }) => makers.get(id) !== process && makers.get(id) !== 'dead');
        expect(strange, 'law 47: nobody acts on what another live one made').toEqual([]);
      }
      const mine = a.pool.stats().total + b.pool.stats().total;
      expect(hosts[0].records.size + hosts[1].records.size, 'law 47: nothing else is there').toBe(mine);
      const closing = [a.pool.close(), b.pool.close()];
      await a.clock.advance(1_000);
      await b.clock.advance(1_000);
      await Promise.all(closing);
      for (const host of hosts) expect(host.records.size, 'law 47: nothing is left').toBe(0);
    },
  );
  await fc.assert(property, lawRuns(40));
});

test('law 49: stale or partial lists of the hosts cause no creation above the target and no destroy of a live machine', async () => {
  const seen = fc.array(fc.boolean(), { minLength: 6, maxLength: 6 });
  const property = fc.asyncProperty(adopt, seen, seen, async (how, onFirst, onSecond) => {
    const hosts = makeHosts();
    const alive = startProcess(hosts, 'alive', { ...size, sweep: false });
    await alive.pool.ready();
    await useAndCrash(hosts, startProcess(hosts, 'dead', { minReady: 4, max: 6 }), [], 1);
    const second = startProcess(hosts, 'second', { ...size, adopt: how });
    for (const [index, { driver }] of second.links.entries()) {
      const everything = [...hosts[index]!.records.values()];
      const isSeen = index === 0 ? onFirst : onSecond;
      driver.list = async () => everything.filter((_, at) => isSeen[at % isSeen.length]);
    }
    await second.clock.advance(20_000);
    const acts = hosts.flatMap((host) => host.acts.filter(({ process }) => process === 'second'));
    const forks = acts.filter(({ kind }) => kind === 'fork').length;
    expect(forks + second.pool.stats().counters.adopted, 'law 49: the target').toBe(size.minReady);
    expect(alive.pool.stats().slots.ready, 'law 49').toBe(size.minReady);
    // A destroy that fails once has the pool look for what it may have left, in a list that is long out of date.
    for (const { stub } of second.links) stub.answer('dispose', { reject: new Error('busy') });
    const lease = await second.pool.acquire();
    await lease.discard();
    await second.clock.advance(100);
    for (const { stub } of second.links) stub.answer('dispose', 'resolve');
    await second.clock.advance(60_000);
    expect(second.pool.stats().slots.ready, 'law 49: an old list takes nothing away').toBe(size.minReady);
    for (const host of hosts) {
      const ofAlive = host.acts.filter(({ process }) => process === 'alive').map(({ id }) => id);
      const touched = host.acts.filter(({ process }) => process === 'second').map(({ id }) => id);
      expect(
        touched.filter((id) => ofAlive.includes(id)),
        'law 49: the living',
      ).toEqual([]);
    }
    await second.pool.close();
  });
  await fc.assert(property, lawRuns(40));
});
