import { getEventListeners } from 'node:events';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { type Script, ScriptedMonitor } from '../fixtures/scripted-monitor.ts';
import type { QmpEvent } from './message.ts';
import { Monitor } from './monitor.ts';

function open(script: Script): { monitor: Monitor; far: ScriptedMonitor; events: QmpEvent[]; clock: VirtualClock } {
  const far = new ScriptedMonitor(script);
  const clock = new VirtualClock();
  const events: QmpEvent[] = [];
  return { far, clock, events, monitor: new Monitor(far.stream, clock, (event) => events.push(event)) };
}

const answering: Script = ({ execute, id }) => [{ return: { did: execute }, id }];
const limits = { timeoutMs: 1000 };

describe('Monitor', () => {
  test('tells the version of the greeting', async () => {
    const { monitor, far } = open(answering);
    far.greet();
    expect(await monitor.greeting).toBe('7.2.22');
  });

  test('sends commands before the greeting, each with an id of its own, and gives each its own answer', async () => {
    const { monitor, far } = open(({ id }) => (id === 1 ? undefined : [{ return: 'second', id }]));
    const first = monitor.execute('one', { a: 1 }, limits);
    expect(await monitor.execute('two', {}, limits)).toBe('second');
    far.send({ return: 'first', id: 1 });
    expect(await first).toBe('first');
    expect(far.commands).toEqual([
      { execute: 'one', arguments: { a: 1 }, id: 1 },
      { execute: 'two', arguments: {}, id: 2 },
    ]);
  });

  test('gives events in their order, whatever answers come between', async () => {
    const { monitor, far, events } = open(({ id }) => [
      { event: 'STOP', data: {}, timestamp: {} },
      { return: {}, id },
      { event: 'RESUME', timestamp: {} },
    ]);
    await monitor.execute('stop', {}, limits);
    far.send({ event: 'SHUTDOWN', data: { guest: true } });
    await expect
      .poll(() => events)
      .toEqual([
        { event: 'STOP', data: {} },
        { event: 'RESUME', data: {} },
        { event: 'SHUTDOWN', data: { guest: true } },
      ]);
  });

  test('says what QEMU refused, and why', async () => {
    const { monitor } = open(({ id }) => [{ error: { class: 'GenericError', desc: 'not now' }, id }]);
    await expect(monitor.execute('cont', {}, limits)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: false,
      details: { command: 'cont', errorClass: 'GenericError', said: 'not now' },
    });
  });

  test('gives up an answer that does not come, and takes no notice of a late one', async () => {
    const { monitor, far, clock } = open(({ execute, id }) =>
      execute === 'slow' ? undefined : [{ return: 'ok', id }],
    );
    const slow = monitor.execute('slow', {}, { timeoutMs: 500 });
    const rejected = expect(slow).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION', retryable: true });
    await clock.advance(500);
    await rejected;
    far.send({ return: 'late', id: 1 });
    expect(await monitor.execute('next', {}, limits)).toBe('ok');
    expect(clock.pendingTimers).toBe(0);
  });

  test('rejects with the reason of an abort, before or meanwhile, and leaves no listener', async () => {
    const { monitor, far } = open(() => undefined);
    const reason = new Error('enough');
    await expect(monitor.execute('x', {}, { ...limits, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(far.commands).toEqual([]);
    const controller = new AbortController();
    const asked = monitor.execute('x', {}, { ...limits, signal: controller.signal });
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test.each<[string, (far: ScriptedMonitor) => void]>([
    ['ends', (far) => far.end()],
    ['sends what is no JSON', (far) => far.write('hello\n')],
    ['sends a message that is none', (far) => far.send({ id: 1 })],
    ['could not read a command', (far) => far.send({ error: { class: 'GenericError', desc: 'JSON parse error' } })],
    ['sends a line without end', (far) => far.write('x'.repeat(2 ** 20 + 1))],
  ])('rejects everything, now and later, once QEMU %s', async (_, happen) => {
    const { monitor, far } = open(() => undefined);
    const asked = monitor.execute('x', {}, limits);
    const rejected = expect(asked).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    happen(far);
    await rejected;
    await expect(monitor.greeting).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await expect(monitor.execute('y', {}, limits)).rejects.toBe(await monitor.closed);
  });

  test('ends with its dispose', async () => {
    const { monitor, far } = open(() => undefined);
    const asked = monitor.execute('x', {}, limits);
    asked.catch(() => {});
    await monitor[Symbol.asyncDispose]();
    await expect(asked).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(far.stream.destroyed).toBe(true);
  });
});
