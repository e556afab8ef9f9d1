import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WarmvmError } from '../driver/error.ts';
import type { MachineState } from '../driver/machine.ts';
import { makeReadyPool, type PoolFixture } from '../pool/fixtures/pool-fixture.ts';
import type { StubMachine } from '../testing/stub-machine.ts';
import { lawRuns } from './fixtures/law-runs.ts';

/** Longest delay of the backoff of state polling. */
const SLOWEST_POLL_MS = 500;

const unfit = fc.constantFrom<MachineState>('crashed', 'stopped', 'paused', 'stopping');

/** The machine comes into a state of which no event tells. */
function changeInSilence(machine: StubMachine, state: MachineState): void {
  machine.hide(state);
}

function firstOf({ driver }: PoolFixture): StubMachine {
  return driver.forked[0]!;
}

/** Lends everything that is ready, and says which machines that were. */
function lendAll({ pool }: PoolFixture): readonly string[] {
  const lent: string[] = [];
  while (pool.stats().slots.ready > 0) lent.push(pool.tryAcquire().machineId);
  return lent;
}

test('law 53: a broken feed costs no more than the slowest poll, and what is unfit is not lent after it', async () => {
  const property = fc.asyncProperty(unfit, fc.nat({ max: 20_000 }), async (state, afterMs) => {
    const fixture = await makeReadyPool({ minReady: 1, max: 2 });
    const { driver, clock, pool } = fixture;
    const machine = firstOf(fixture);
    machine.breakWatches(new Error('the feed is broken'));
    await clock.advance(afterMs);
    expect(pool.stats().slots.ready, 'law 53: a broken feed alone costs nothing').toBe(1);
    expect(machine.disposals, 'law 53: a broken feed alone costs nothing').toBe(0);
    changeInSilence(machine, state);
    await clock.advance(SLOWEST_POLL_MS);
    expect(machine.disposals, 'law 53: known by polling').toBe(1);
    expect(lendAll(fixture), 'law 53: never lent').not.toContain(machine.id);
    expect(driver.calls('state').length, 'law 53: by the backoff').toBeLessThanOrEqual(10 + afterMs / SLOWEST_POLL_MS);
    await pool.close();
  });
  await fc.assert(property, lawRuns(40));
});

test('law 53: an event that is lost in silence costs one slow beat', async () => {
  const property = fc.asyncProperty(
    unfit,
    fc.integer({ min: 100, max: 20_000 }),
    fc.nat({ max: 30_000 }),
    async (state, checkStateEveryMs, afterMs) => {
      const fixture = await makeReadyPool({ minReady: 1, max: 2, checkStateEveryMs });
      const { clock, pool } = fixture;
      const machine = firstOf(fixture);
      await clock.advance(afterMs);
      changeInSilence(machine, state);
      await clock.advance(checkStateEveryMs);
      expect(machine.disposals, 'law 53: known by the beat').toBe(1);
      expect(lendAll(fixture), 'law 53: never lent').not.toContain(machine.id);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(40));
});

test('law 53: a driver without events is asked by the backoff', async () => {
  const property = fc.asyncProperty(unfit, fc.nat({ max: 10_000 }), async (state, afterMs) => {
    const stub = { capabilities: { stateEvents: false } };
    const fixture = await makeReadyPool({ minReady: 1, max: 2, stub, checkStateEveryMs: Number.POSITIVE_INFINITY });
    const { clock, pool } = fixture;
    const machine = firstOf(fixture);
    await clock.advance(afterMs);
    changeInSilence(machine, state);
    await clock.advance(SLOWEST_POLL_MS);
    expect(machine.disposals, 'law 53: known by polling').toBe(1);
    await pool.close();
  });
  await fc.assert(property, lawRuns(20));
});

test('law 53: a lease ends when its machine dies without an event, and goes on while it is paused', async () => {
  const property = fc.asyncProperty(unfit, async (state) => {
    const fixture = await makeReadyPool({ minReady: 1, max: 2 });
    const { clock, pool } = fixture;
    const lease = await pool.acquire();
    firstOf(fixture).breakWatches(new Error('the feed is broken'));
    await clock.advance(1_000);
    changeInSilence(firstOf(fixture), state);
    await clock.advance(SLOWEST_POLL_MS);
    const isDead = state === 'crashed' || state === 'stopped';
    expect(lease.status, 'law 53: of a machine that is lent').toBe(isDead ? 'lost' : 'active');
    await pool.close();
  });
  await fc.assert(property, lawRuns(8));
});

test('law 53: a machine whose hypervisor does not answer proves itself before it is lent, and its holder keeps it', async () => {
  for (const isAlive of [true, false]) {
    const fixture = await makeReadyPool({ minReady: 2, max: 3, probeTimeoutMs: 1_000 });
    const { driver, clock, pool } = fixture;
    const lease = await pool.acquire();
    driver.answer('state', 'manual');
    if (!isAlive) driver.answer('probe', 'manual');
    // The question is due, it is not answered for its longest time, and the probe neither.
    await clock.advance(5_000 + 1_000);
    const { settling, ready } = pool.stats().slots;
    expect(isAlive ? settling : ready, 'law 53: what is frozen is not there to be lent').toBe(0);
    await clock.advance(1_000);
    expect(pool.stats().counters.evicted > 0, 'law 53: what is frozen is replaced, what answers is kept').toBe(
      !isAlive,
    );
    expect(lease.status, 'law 53: silence takes nothing from a holder').toBe('active');
    await pool.close();
  }
});

test('law 53: an answer that is older than an event, or of an earlier generation, changes nothing', async () => {
  const fixture = await makeReadyPool({ minReady: 1, max: 1 });
  const { driver, clock, pool, settle } = fixture;
  const machine = firstOf(fixture);
  driver.answer('state', 'manual');
  await clock.advance(5_000);
  const [asked] = driver.pending('state');
  machine.change('starting');
  machine.change('running');
  await settle();
  machine.hide('paused');
  asked?.resolve();
  await settle();
  expect(pool.stats().slots.ready, 'law 53: an event came after the question').toBe(1);
  expect(machine.disposals, 'law 53: an event came after the question').toBe(0);
  machine.change('running');
  await clock.advance(10_000);
  const lease = await pool.acquire();
  const asking = driver.pending('state').at(-1);
  driver.answer('state', 'resolve');
  await lease.release();
  await settle();
  machine.hide('crashed');
  asking?.resolve();
  await settle();
  expect(machine.disposals, 'law 53: the question was about the generation before').toBe(0);
  await pool.close();
});

test('law 53: a host is asked for a few states at a time, however many machines it has', async () => {
  const fixture = await makeReadyPool({ minReady: 40, max: 40, forkConcurrency: 8 });
  const { driver, clock, pool } = fixture;
  let most = 0;
  driver.answer('state', () => {
    most = Math.max(most, driver.pending('state').length + 1);
    return { delayMs: 50 };
  });
  await clock.advance(20_000);
  expect(most, 'law 53: bounded').toBeLessThanOrEqual(4);
  const asked = new Set(driver.calls('state').map(({ machineId }) => machineId));
  expect(asked.size, 'law 53: and every one is asked').toBe(40);
  await pool.close();
});

test('law 53: a refusal to answer is not the loss of a machine, and that of the host is one', async () => {
  const fixture = await makeReadyPool({ minReady: 1, max: 1 });
  const { driver, clock, pool, events } = fixture;
  driver.answer('state', { reject: new WarmvmError('WARMVM_HOST_OPERATION', 'busy', { retryable: true }) });
  await clock.advance(60_000);
  expect(firstOf(fixture).disposals, 'law 53: its guest answers').toBe(0);
  driver.answer('state', { reject: new WarmvmError('WARMVM_HOST_LOST', 'gone') });
  await clock.advance(5_000);
  expect(
    events.some(({ type }) => type === 'host-down'),
    'law 53: a question may find the host lost',
  ).toBe(true);
  await pool.close();
});

test('law 54: no machine is lent that was verified before the clock of the computer was set', async () => {
  const property = fc.asyncProperty(
    fc.oneof(fc.integer({ min: 1_001, max: 10_000_000 }), fc.integer({ min: -10_000_000, max: -1_001 })),
    fc.boolean(),
    fc.integer({ min: 1, max: 3 }),
    async (stepMs, isResettable, minReady) => {
      const stub = { capabilities: { reset: isResettable ? ('memory' as const) : ('none' as const) } };
      const { pool, driver, clock } = await makeReadyPool({ minReady, max: 4, stub, heartbeat: { everyMs: Infinity } });
      const before = driver.calls(isResettable ? 'reset' : 'fork').length;
      clock.jumpWallTime(stepMs);
      const lease = await pool.acquire();
      const renewed = driver.calls(isResettable ? 'reset' : 'fork').length - before;
      expect(renewed, 'law 54: reset or replaced before it is lent').toBeGreaterThanOrEqual(1);
      expect(lease.generation > 1 || Number(lease.machineId.split('-')[1]) > minReady, 'law 54').toBe(true);
      await pool.close();
    },
  );
  await fc.assert(property, lawRuns(30));
});

test('law 54: a small correction of the clock costs nothing, and a large one is seen without a caller', async () => {
  const { pool, driver, clock } = await makeReadyPool({ minReady: 1, max: 1 });
  clock.jumpWallTime(900);
  await clock.advance(10_000);
  expect(driver.calls('reset'), 'law 54: within the tolerance').toHaveLength(0);
  clock.jumpWallTime(3_600_000);
  await clock.advance(5_000);
  expect(driver.calls('reset'), 'law 54: by the beat').toHaveLength(1);
  expect(pool.stats().slots.ready, 'law 54').toBe(1);
  expect(pool.tryAcquire().generation, 'law 54').toBe(2);
  await pool.close();
});

test('law 54: a clock that is set while a machine is reset counts too', async () => {
  const { pool, driver, clock, settle } = await makeReadyPool({ minReady: 1, max: 1 });
  driver.answer('reset', 'manual');
  const lease = await pool.acquire();
  await lease.release();
  await settle();
  clock.jumpWallTime(60_000);
  driver.answer('reset', 'resolve');
  driver.pending('reset')[0]?.resolve();
  await settle();
  expect((await pool.acquire()).generation, 'law 54: reset once more').toBe(3);
  await pool.close();
});
