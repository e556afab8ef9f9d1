import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { WarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import { createStubDriver, type StubDriver, stubImage } from '../testing/stub-driver.ts';
import type { StubMachine } from '../testing/stub-machine.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { waitForState } from './wait-for-state.ts';

interface Fixture {
  readonly clock: VirtualClock;
  readonly driver: StubDriver;
  readonly machine: StubMachine;
}

async function makeMachine(): Promise<Fixture> {
  const clock = new VirtualClock();
  const driver = createStubDriver({ clock });
  const owner = { pool: 'test', instance: 'a', process: { bootId: 'b', pid: 1, startTime: '1' } };
  await driver.fork({ digest: stubImage.digest, host: 'stub', image: stubImage }, { owner });
  return { clock, driver, machine: driver.forked[0]! };
}

/** The same machine on a hypervisor that pushes nothing. */
function withoutEvents(machine: StubMachine): Machine {
  return {
    id: machine.id,
    guest: machine.guest,
    get generation() {
      return machine.generation;
    },
    state: (options) => machine.state(options),
    reset: (options) => machine.reset(options),
    async *watch(options) {
      await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

function observe(promise: Promise<unknown>): { outcome: unknown } {
  const seen: { outcome: unknown } = { outcome: 'pending' };
  promise.then(
    (value) => {
      seen.outcome = value;
    },
    (error: unknown) => {
      seen.outcome = error;
    },
  );
  return seen;
}

describe('waitForState', () => {
  test('resolves at once when the machine is in the state', async () => {
    const { clock, machine } = await makeMachine();
    expect(await waitForState(machine, 'running', { clock })).toBe('running');
    await clock.settle();
    expect([clock.pendingTimers, machine.watchers]).toEqual([0, 0]);
  });

  test('resolves by the event, without waiting for the next poll', async () => {
    const { clock, machine } = await makeMachine();
    const waited = observe(waitForState(machine, 'stopped', { clock }));
    await clock.advance(10);
    expect(waited.outcome).toBe('pending');
    machine.change('stopped');
    await clock.settle();
    expect(waited.outcome).toBe('stopped');
    expect([clock.pendingTimers, machine.watchers]).toEqual([0, 0]);
  });

  test('resolves by the poll within its schedule where there are no events', async () => {
    const { clock, driver, machine } = await makeMachine();
    const waited = observe(waitForState(withoutEvents(machine), 'stopped', { clock }));
    await clock.advance(151);
    machine.change('stopped');
    await clock.advance(198);
    expect(waited.outcome).toBe('pending');
    await clock.advance(1);
    expect(waited.outcome).toBe('stopped');
    expect(driver.calls('state').map((call) => call.atMs - 1_000)).toEqual([0, 50, 150, 350]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('polls by another backoff when one is given', async () => {
    const { clock, driver, machine } = await makeMachine();
    const backoff = Backoff.exponential({ baseMs: 10, capMs: 10, jitter: 'none' });
    const waited = waitForState(withoutEvents(machine), 'stopped', { clock, backoff });
    await clock.advance(25);
    expect(driver.calls('state')).toHaveLength(3);
    machine.change('stopped');
    await clock.advance(10);
    expect(await waited).toBe('stopped');
  });

  test('goes on when a poll or the watch fails for a reason that may pass', async () => {
    const { clock, driver, machine } = await makeMachine();
    driver.answer('state', (index) => (index < 2 ? { reject: new Error('busy') } : 'resolve'));
    const waited = observe(waitForState(machine, 'stopped', { clock }));
    await clock.settle();
    machine.failWatches(new Error('the stream broke'));
    machine.change('stopped');
    await clock.advance(149);
    expect(waited.outcome).toBe('pending');
    await clock.advance(1);
    expect(waited.outcome).toBe('stopped');
    expect(driver.calls('state')).toHaveLength(3);
  });

  test.each(['WARMVM_MACHINE_GONE', 'WARMVM_HOST_LOST'] as const)(
    'rejects as soon as the watch says %s',
    async (code) => {
      const { clock, machine } = await makeMachine();
      const waited = observe(waitForState(machine, 'stopped', { clock }));
      await clock.settle();
      const error = new WarmvmError(code, 'no more');
      machine.failWatches(error);
      await clock.settle();
      expect(waited.outcome).toBe(error);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test('rejects as soon as a poll says that the machine is gone', async () => {
    const { clock, machine } = await makeMachine();
    const waited = observe(waitForState(withoutEvents(machine), 'stopped', { clock }));
    await clock.settle();
    await machine[Symbol.asyncDispose]();
    await clock.advance(50);
    expect(waited.outcome).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('rejects when its time is over, with the last state seen', async () => {
    const { clock, machine } = await makeMachine();
    const waited = observe(waitForState(machine, 'stopped', { clock, timeoutMs: 1_000 }));
    await clock.advance(999);
    expect(waited.outcome).toBe('pending');
    await clock.advance(1);
    expect(waited.outcome).toMatchObject({
      code: 'WARMVM_NOT_READY',
      retryable: true,
      details: { machineId: machine.id, lastSeen: 'running', timeoutMs: 1_000 },
    });
    expect([clock.pendingTimers, machine.watchers]).toEqual([0, 0]);
  });

  test('says so when it never saw a state', async () => {
    const { clock, driver, machine } = await makeMachine();
    driver.answer('state', 'manual');
    const waited = observe(waitForState(withoutEvents(machine), 'stopped', { clock, timeoutMs: 10 }));
    await clock.advance(10);
    expect(waited.outcome).toMatchObject({
      message: expect.stringContaining('never seen'),
      details: { lastSeen: null },
    });
  });

  test('takes a function for the states that are wanted', async () => {
    const { clock, machine } = await makeMachine();
    const waited = observe(waitForState(machine, (state) => state === 'crashed' || state === 'stopped', { clock }));
    machine.change('paused');
    await clock.settle();
    expect(waited.outcome).toBe('pending');
    machine.change('crashed');
    await clock.settle();
    expect(waited.outcome).toBe('crashed');
  });

  test('rejects with what the function throws', async () => {
    const { clock, machine } = await makeMachine();
    const failure = new Error('bad condition');
    const waited = waitForState(
      machine,
      () => {
        throw failure;
      },
      { clock },
    );
    await expect(waited).rejects.toBe(failure);
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not take an event of an earlier generation for the state', async () => {
    const { clock, driver, machine } = await makeMachine();
    driver.answer('reset', 'manual');
    const resetting = machine.reset();
    const waited = observe(waitForState(machine, 'stopped', { clock }));
    machine.change('stopped', 'of the tenant before', 1);
    await clock.settle();
    expect(waited.outcome).toBe('pending');
    driver.pending('reset')[0]!.resolve();
    await resetting;
    machine.change('stopped');
    await clock.settle();
    expect(waited.outcome).toBe('stopped');
  });

  test('does not take the answer to a question that a reset overtook for the state', async () => {
    const { clock, driver, machine } = await makeMachine();
    driver.answer('state', (index) => (index === 0 ? 'manual' : 'resolve'));
    const waited = observe(waitForState(withoutEvents(machine), 'running', { clock }));
    await machine.reset();
    machine.change('starting');
    driver.pending('state')[0]!.resolve();
    await clock.settle();
    expect(waited.outcome).toBe('pending');
    machine.change('running');
    await clock.advance(50);
    expect(waited.outcome).toBe('running');
  });

  test('rejects with the reason of its signal, before or meanwhile, and leaves no listener', async () => {
    const { clock, machine } = await makeMachine();
    const reason = new Error('left');
    await expect(waitForState(machine, 'stopped', { clock, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const waited = observe(waitForState(machine, 'stopped', { clock, signal: controller.signal }));
    await clock.settle();
    controller.abort(reason);
    await clock.settle();
    expect(waited.outcome).toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect([clock.pendingTimers, machine.watchers]).toEqual([0, 0]);
  });

  test('refuses a bad time at once', async () => {
    const { machine } = await makeMachine();
    expect(() => waitForState(machine, 'stopped', { timeoutMs: -1 })).toThrow(RangeError);
  });
});
