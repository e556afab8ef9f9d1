import { getEventListeners } from 'node:events';
import type { Machine, MachineChange } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createRig, type Rig, rejection } from './fixtures/rig.ts';

interface Watched {
  readonly seen: [number, MachineChange['state'], number][];
  readonly ended: Promise<void>;
}

/** Collects changes with the time they came at. */
function collect(rig: Rig, machine: Machine, signal?: AbortSignal): Watched {
  const startedMs = rig.clock.now();
  const seen: Watched['seen'] = [];
  const ended = (async () => {
    for await (const { state, generation } of machine.watch(signal === undefined ? {} : { signal })) {
      seen.push([rig.clock.now() - startedMs, state, generation]);
    }
  })();
  ended.catch(() => {});
  return { seen, ended };
}

describe('watch', () => {
  test('begins with the present state', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    rig.host.pause(machine.id);
    const { value } = await machine.watch()[Symbol.asyncIterator]().next();
    expect(value).toEqual({ state: 'paused', reason: 'paused by an operator', generation: 1 });
  });

  test('delivers each change exactly the scripted time after the fact', async () => {
    const rig = createRig({ latency: { eventMs: 7 } });
    const machine = await rig.fork();
    const { seen } = collect(rig, machine);
    await rig.clock.advance(100);
    rig.host.pause(machine.id);
    await rig.clock.advance(50);
    rig.host.resume(machine.id);
    await rig.clock.advance(50);
    rig.host.crash(machine.id);
    await rig.clock.advance(50);
    expect(seen).toEqual([
      [0, 'running', 1],
      [107, 'paused', 1],
      [157, 'running', 1],
      [207, 'crashed', 1],
    ]);
  });

  test('shows a reset as changes of the new generation', async () => {
    const rig = createRig({ latency: { eventMs: 0, resetMs: 20 } });
    const machine = await rig.fork();
    const { seen } = collect(rig, machine);
    await rig.clock.settle();
    await rig.run(machine.reset());
    expect(seen).toEqual([
      [0, 'running', 1],
      [0, 'starting', 2],
      [15, 'running', 2],
    ]);
  });

  test('gives a slow watcher the newest change alone', async () => {
    const rig = createRig({ latency: { eventMs: 0 } });
    const machine = await rig.fork();
    const iterator = machine.watch()[Symbol.asyncIterator]();
    await iterator.next();
    rig.host.pause(machine.id);
    rig.host.resume(machine.id);
    rig.host.crash(machine.id);
    expect((await iterator.next()).value).toMatchObject({ state: 'crashed' });
    await iterator.return?.();
  });

  test('serves several watchers at once', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const watches = [collect(rig, machine), collect(rig, machine)];
    await rig.clock.advance(1);
    rig.host.crash(machine.id);
    await rig.clock.advance(1);
    for (const { seen } of watches) expect(seen.map(([, state]) => state)).toEqual(['running', 'crashed']);
  });

  test('keeps the order of events whose delays are drawn', async () => {
    const delays = [30, 5];
    const rig = createRig({ latency: { eventMs: ({ attempt }) => delays[attempt - 1] ?? 0 } });
    const machine = await rig.fork();
    const { seen } = collect(rig, machine);
    await rig.clock.advance(0);
    rig.host.pause(machine.id);
    await rig.clock.advance(10);
    rig.host.resume(machine.id);
    await rig.clock.advance(100);
    expect(seen.map(([, state]) => state)).toEqual(['running', 'paused', 'running']);
  });

  test('ends on dispose', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const { ended } = collect(rig, machine);
    await rig.run(machine[Symbol.asyncDispose]());
    expect(await ended).toBeUndefined();
    expect(await machine.watch()[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test('tells of a machine that somebody else destroyed, and ends', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const { seen, ended } = collect(rig, machine);
    await rig.clock.advance(10);
    rig.host.destroy(machine.id);
    await rig.run(ended);
    expect(seen.at(-1)).toEqual([11, 'stopped', 1]);
    expect(await machine.watch()[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });

  test('rejects with HOST_LOST when the host is lost, and at once after that', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const { ended } = collect(rig, machine);
    const idle = machine.watch()[Symbol.asyncIterator]();
    rig.host.lose();
    expect(await rejection(ended)).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    expect(await rejection(idle.next())).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    expect(await idle.next()).toMatchObject({ done: true });
    expect(await rejection(collect(rig, machine).ended)).toMatchObject({ code: 'WARMVM_HOST_LOST' });
  });

  test.each([0, 5])('aborted after %i ms rejects with the reason and leaves no listener', async (afterMs) => {
    const rig = createRig();
    const machine = await rig.fork();
    const controller = new AbortController();
    const { ended } = collect(rig, machine, controller.signal);
    await rig.clock.advance(afterMs);
    controller.abort('reason');
    expect(await rejection(ended)).toBe('reason');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(await rejection(collect(rig, machine, controller.signal).ended)).toBe('reason');
  });

  test('left by break leaves no listener and no timer', async () => {
    const rig = createRig({ capabilities: { stateEvents: false } });
    const machine = await rig.fork();
    const { signal } = new AbortController();
    for await (const _ of machine.watch({ signal })) break;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(rig.clock.pendingTimers).toBe(0);
  });
});

describe('watch without events', () => {
  test('polls after 50, 100, 200, 400 and then each 500 ms since the last change', async () => {
    const rig = createRig({ capabilities: { stateEvents: false } });
    const machine = await rig.fork();
    const { seen } = collect(rig, machine);
    await rig.clock.advance(800);
    rig.host.pause(machine.id);
    await rig.clock.advance(440);
    expect(seen).toEqual([[0, 'running', 1]]);
    await rig.clock.advance(10);
    rig.host.resume(machine.id);
    await rig.clock.advance(100);
    expect(seen).toEqual([
      [0, 'running', 1],
      [1250, 'paused', 1],
      [1300, 'running', 1],
    ]);
  });

  test('sees a reset by its generation, and the end of a machine', async () => {
    const rig = createRig({ capabilities: { stateEvents: false }, latency: { pollMs: 10 } });
    const machine = await rig.fork();
    const { seen, ended } = collect(rig, machine);
    const resetting = machine.reset();
    await rig.clock.advance(10);
    await resetting;
    await rig.clock.advance(10);
    rig.host.destroy(machine.id);
    await rig.run(ended);
    expect(seen.map(([atMs, state, generation]) => `${atMs} ${state} ${generation}`)).toEqual([
      '0 running 1',
      '10 running 2',
      '30 stopped 2',
    ]);
  });

  test('does not keep the process alive', async () => {
    const rig = createRig({ capabilities: { stateEvents: false } });
    collect(rig, await rig.fork());
    await rig.clock.settle();
    expect(rig.clock.pendingTimers).toBe(1);
    expect(rig.clock.holdingTimers).toBe(0);
  });
});

describe('scripted faults of a watch', () => {
  test('can reject it, keep it silent or delay it', async () => {
    const faults = [{ reject: new Error('no events') }, { hang: true }, { delayMs: 20 }];
    const rig = createRig({
      faults: ({ operation, attempt }) => (operation === 'watch' ? faults[attempt - 1] : undefined),
    });
    const machine = await rig.fork();
    const [refused, silent, late] = [collect(rig, machine), collect(rig, machine), collect(rig, machine)];
    expect(await rejection(refused.ended)).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: new Error('no events'),
    });
    rig.host.crash(machine.id);
    await rig.clock.advance(20);
    expect(late.seen).toHaveLength(1);
    await rig.clock.advance(1);
    expect(late.seen.at(-1)).toEqual([21, 'crashed', 1]);
    expect(silent.seen).toEqual([]);
  });

  test('can lose one event, delay it, or break the watch with it', async () => {
    const faults = [{ hang: true }, { delayMs: 9 }, { reject: 'WARMVM_HOST_PROTOCOL' as const }];
    const rig = createRig({
      faults: ({ operation, attempt }) => (operation === 'event' ? faults[attempt - 1] : undefined),
    });
    const machine = await rig.fork();
    const { seen, ended } = collect(rig, machine);
    await rig.clock.advance(0);
    rig.host.pause(machine.id);
    await rig.clock.advance(100);
    rig.host.resume(machine.id);
    await rig.clock.advance(100);
    rig.host.crash(machine.id);
    expect(await rejection(ended)).toMatchObject({ code: 'WARMVM_HOST_PROTOCOL' });
    expect(seen).toEqual([
      [0, 'running', 1],
      [110, 'running', 1],
    ]);
  });
});
