import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MachineRecord } from '../driver/index.ts';
import { currentOwnerProcess } from '../owner/owner-process.ts';
import type { Lease } from '../pool/lease.ts';
import type { StubCallKind } from '../testing/index.ts';
import { lawRuns } from './fixtures/law-runs.ts';
import { type HostProcess, SharedHost } from './fixtures/shared-host.ts';

const size = { minReady: 2, max: 3 };
const adopt = fc.constantFrom('reset' as const, 'remove' as const);
const stuckCalls = fc.subarray<StubCallKind>(['fork', 'reset', 'probe', 'dispose']);

/** Uses a pool a little, lets some calls hang, and crashes it; gives the leases it had granted. */
async function useAndCrash(
  host: SharedHost,
  process: HostProcess,
  stuck: readonly StubCallKind[],
  lent: number,
): Promise<readonly Lease[]> {
  await process.pool.ready();
  const granted: Lease[] = [];
  const acquire = async (): Promise<void> => {
    granted.push(await process.pool.acquire({ timeoutMs: 10 }));
  };
  for (let round = 0; round < 2; round += 1) {
    await acquire();
    await granted.at(-1)?.release();
    await process.clock.settle();
  }
  for (const kind of stuck) process.stub.answer(kind, 'manual');
  for (let count = 0; count < lent; count += 1) acquire().catch(() => {});
  await process.clock.settle();
  await granted.find((lease) => lease.status === 'active')?.release();
  await process.clock.settle();
  host.crash(process);
  return granted;
}

function foreignRecords(): readonly MachineRecord[] {
  const alive = currentOwnerProcess();
  const dead = { ...alive, startTime: '1' };
  const elsewhere = { ...alive, bootId: 'another computer' };
  const record = (id: string, pool: string, process: typeof alive): MachineRecord => {
    return {
      id,
      kind: 'machine',
      owner: { pool, instance: `of ${id}`, process },
      generation: 1,
      digest: null,
      state: 'running',
    };
  };
  return [
    record('live', 'default', alive),
    record('unknown', 'default', elsewhere),
    record('of another pool', 'other', dead),
  ];
}

test('laws 22, 46 and 48: after a crash every marked machine is adopted and reset, or destroyed, and nothing else is touched', async () => {
  const property = fc.asyncProperty(adopt, stuckCalls, fc.nat({ max: 3 }), async (how, stuck, lent) => {
    const host = new SharedHost();
    const foreign = foreignRecords();
    for (const record of foreign) host.records.set(record.id, record);
    const before = await useAndCrash(host, host.start('first', size), stuck, lent);
    const left = [...host.records.keys()].filter((id) => id.startsWith('vm-'));
    const actsBefore = host.acts.length;
    const second = host.start('second', { ...size, adopt: how });
    await second.clock.advance(20_000);
    const acts = host.acts.slice(actsBefore);
    const { slots, total, counters } = second.pool.stats();
    expect(slots.ready, 'law 46: the pool is full').toBe(2);
    const mine = [...host.records.keys()].filter((id) => id.startsWith('vm-'));
    expect(mine.length, 'law 46: none is leaked').toBe(total);
    for (const id of left) {
      const isAdopted = acts.some((act) => act.kind === 'adopt' && act.id === id);
      const isRemoved = acts.some((act) => act.kind === 'remove' && act.id === id);
      expect(isAdopted !== isRemoved, `law 46: ${id} is adopted or removed`).toBe(true);
      if (isAdopted)
        expect(
          acts.some((act) => act.kind === 'reset' && act.id === id),
          'law 48: reset',
        ).toBe(true);
    }
    if (how === 'remove') expect(counters.adopted).toBe(0);
    const leases = [await second.pool.acquire(), await second.pool.acquire()];
    expect(new Set(leases.map((lease) => lease.machineId)).size, 'law 46: none is lent twice').toBe(2);
    for (const lease of leases) {
      for (const earlier of before.filter((other) => other.machineId === lease.machineId)) {
        expect(lease.turn, 'law 22: turns grow across adoption').toBeGreaterThan(earlier.turn);
        expect(lease.generation, 'law 48: no generation is lent twice').toBeGreaterThan(earlier.generation);
      }
    }
    const closing = second.pool.close();
    await second.clock.advance(1_000);
    await closing;
    expect([...host.records.values()], 'law 46: what is not ours is untouched').toEqual(foreign);
  });
  await fc.assert(property, lawRuns(80));
});

test('law 46: machines are adopted where that is asked for and possible, no more than are wanted', async () => {
  const host = new SharedHost();
  await useAndCrash(host, host.start('first', { minReady: 3, max: 3 }), [], 0);
  const second = host.start('second', { minReady: 2, max: 3, adopt: 'reset' });
  await second.pool.ready();
  expect(second.pool.stats().counters, 'law 46').toMatchObject({ adopted: 2, created: 2 });
  expect(
    host.acts.filter((act) => act.kind === 'remove'),
    'law 46: the third is removed',
  ).toHaveLength(1);
  expect(second.events).toContainEqual(
    expect.objectContaining({ type: 'swept', adopted: ['vm-1', 'vm-2'], removed: ['vm-3'] }),
  );
  await second.pool.close();
});

test('law 29: a machine of another golden image is never adopted', async () => {
  const host = new SharedHost();
  await useAndCrash(host, host.start('first', size), [], 0);
  for (const [id, record] of host.records) host.records.set(id, { ...record, digest: `sha256:${'2'.repeat(64)}` });
  const second = host.start('second', { ...size, adopt: 'reset' });
  await second.pool.ready();
  expect(second.pool.stats().counters, 'law 29').toMatchObject({ adopted: 0, created: 2 });
  expect(['vm-1', 'vm-2', 'vm-3'], 'law 29').not.toContain((await second.pool.acquire()).machineId);
  await second.pool.close();
});

test('an adoption that takes too long is given up, counts until it ends, and its machine is destroyed', async () => {
  const host = new SharedHost();
  await useAndCrash(host, host.start('first', { minReady: 1, max: 1 }), [], 0);
  const second = host.start('second', { minReady: 1, max: 1, adopt: 'reset', forkTimeoutMs: 100 });
  second.stub.answer('adopt', 'manual');
  second.stub.honoursAbort = false;
  await second.clock.advance(100);
  expect(second.pool.stats(), 'law 36').toMatchObject({ total: 1, slots: { destroying: 1 } });
  second.stub.pending('adopt')[0]?.resolve();
  await second.clock.advance(1_000);
  expect(host.acts.filter((act) => act.kind === 'dispose' && act.process === 'second')).toHaveLength(1);
  expect(second.pool.stats().slots.ready).toBe(1);
  expect((await second.pool.acquire()).machineId).not.toBe('vm-1');
  await second.pool.close();
});

test('law 47: two live pools of one name act on their own machines alone, and on each machine of the dead only one of them', async () => {
  const property = fc.asyncProperty(
    adopt,
    adopt,
    fc.array(fc.boolean(), { maxLength: 12 }),
    async (howA, howB, schedule) => {
      const host = new SharedHost();
      await useAndCrash(host, host.start('dead', size), [], 1);
      const dead = [...host.records.keys()];
      const [a, b] = [host.start('a', { ...size, adopt: howA }), host.start('b', { ...size, adopt: howB })];
      for (const each of [a, b])
        for (const kind of ['adopt', 'remove', 'list'] as const) each.stub.answer(kind, { delayMs: 10 });
      for (const isA of schedule) await (isA ? a : b).clock.advance(5);
      await a.clock.advance(20_000);
      await b.clock.advance(20_000);
      for (const id of dead) {
        const actors = host.acts.filter((act) => act.id === id && act.process !== 'dead').map((act) => act.process);
        expect(new Set(actors).size, `law 47: exactly one may act on ${id}`).toBe(1);
      }
      const leases = await Promise.all([a, a, b, b].map((each) => each.pool.acquire()));
      expect(new Set(leases.map((lease) => lease.machineId)).size, 'law 47: none is lent twice').toBe(4);
      const closing = a.pool.close();
      await a.clock.advance(1_000);
      await closing;
      for (const lease of leases.slice(2)) expect(lease.status, 'law 47: the other goes on').toBe('active');
      await b.clock.advance(1_000);
      expect(b.pool.stats().total, 'law 47').toBe(host.records.size);
      const closingB = b.pool.close();
      await b.clock.advance(1_000);
      await closingB;
      expect(host.records.size, 'law 47: nothing is left').toBe(0);
    },
  );
  await fc.assert(property, lawRuns(60));
});

test('law 49: a list that is stale or partial causes no creation above the target and no destroy of a live machine', async () => {
  const property = fc.asyncProperty(
    adopt,
    fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    async (how, seen) => {
      const host = new SharedHost();
      const alive = host.start('alive', { ...size, sweep: false });
      await alive.pool.ready();
      await useAndCrash(host, host.start('dead', { minReady: 4, max: 5 }), [], 1);
      const everything = [...host.records.values()];
      const gone = everything.find((record) => record.owner.process.startTime === '1');
      if (gone !== undefined) host.records.delete(gone.id);
      const second = host.start('second', { ...size, max: 6, adopt: how });
      second.driver.list = async () => everything.filter((_, index) => seen[index % seen.length]);
      await second.clock.advance(20_000);
      const forks = host.acts.filter((act) => act.process === 'second' && act.kind === 'fork').length;
      expect(forks + second.pool.stats().counters.adopted, 'law 49: the target').toBe(2);
      expect(alive.pool.stats().slots.ready, 'law 49').toBe(2);
      const ofAlive = host.acts.filter((act) => act.process === 'alive').map((act) => act.id);
      const touched = host.acts.filter((act) => act.process === 'second').map((act) => act.id);
      expect(
        touched.filter((id) => ofAlive.includes(id)),
        'law 49: the living',
      ).toEqual([]);
      await second.pool.close();
    },
  );
  await fc.assert(property, lawRuns(40));
});
