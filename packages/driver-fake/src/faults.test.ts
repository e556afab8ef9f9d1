import { describe, expect, test } from 'vitest';
import { createRig, owner, rejection } from './fixtures/rig.ts';
import type { JournalCall } from './index.ts';

describe('scripted faults', () => {
  test('see the call, and count attempts per operation', async () => {
    const seen: unknown[] = [];
    const rig = createRig({
      faults: ({ operation, attempt, machineId, command }) => {
        seen.push([operation, attempt, machineId, command]);
        return undefined;
      },
    });
    const machine = await rig.fork();
    await rig.run(machine.guest.exec(['true']));
    await rig.run(machine.guest.exec(['false']));
    expect(seen).toEqual([
      ['prepare', 1, null, null],
      ['fork', 1, null, null],
      ['guest.exec', 1, machine.id, ['true']],
      ['guest.exec', 2, machine.id, ['false']],
    ]);
  });

  test('reject with the code that was named, or wrap the error of the hypervisor', async () => {
    const script = { ping: { reject: 'WARMVM_HOST_DENIED' }, list: { reject: new Error('list') } } as const;
    const rig = createRig({ faults: ({ operation }) => script[operation as 'ping'] });
    expect(await rejection(rig.driver.ping())).toMatchObject({
      code: 'WARMVM_HOST_DENIED',
      details: { operation: 'ping', attempt: 1, scripted: true },
      cause: expect.any(Error),
    });
    expect(await rejection(rig.driver.list(owner))).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: new Error('list'),
    });
  });

  test('throw synchronously', () => {
    const rig = createRig({ faults: () => ({ throwSynchronously: 'WARMVM_HOST_OPERATION' }) });
    expect(() => rig.driver.ping()).toThrow(expect.objectContaining({ code: 'WARMVM_HOST_OPERATION' }));
    const wrong = createRig({ faults: () => ({ throwSynchronously: 'NO_CODE' as never }) });
    expect(() => wrong.driver.ping()).toThrow(TypeError);
  });

  test('delay a call, and a failure', async () => {
    const rig = createRig({
      faults: ({ attempt }) => ({ delayMs: 100, ...(attempt === 2 ? { reject: new Error('late') } : {}) }),
    });
    const startedMs = rig.clock.now();
    await rig.run(rig.driver.ping());
    expect(rig.clock.now() - startedMs).toBe(101);
    await rejection(rig.run(rig.driver.ping()));
    expect(rig.clock.now() - startedMs).toBe(201);
  });

  test('let a call hang until it is aborted or told to go on', async () => {
    const rig = createRig({ faults: () => ({ hang: true }) });
    const controller = new AbortController();
    const aborted = rejection(rig.driver.ping({ signal: controller.signal }));
    const resumed = rig.driver.ping();
    await rig.clock.advance(1_000_000);
    controller.abort('enough');
    expect(await aborted).toBe('enough');
    expect(rig.driver.resumeHung()).toBe(1);
    expect(await rig.run(resumed)).toMatchObject({ host: rig.host.name });
  });
});

describe('the journal', () => {
  test('tells each call with its times and its end', async () => {
    const rig = createRig({ name: 'one', latency: { pingMs: 4 } });
    const startedMs = rig.clock.now();
    await rig.run(rig.driver.ping());
    const call: Omit<JournalCall, 'kind' | 'atMs' | 'outcome'> = {
      driver: 'one',
      operation: 'ping',
      attempt: 1,
      machineId: null,
      code: null,
    };
    expect(rig.host.journal()).toEqual([
      { ...call, kind: 'call-begun', atMs: startedMs, outcome: null },
      { ...call, kind: 'call-ended', atMs: startedMs + 4, outcome: 'resolved' },
    ]);
    rig.host.lose();
    await rejection(rig.driver.ping());
    expect(rig.host.journal().at(-1)).toMatchObject({ outcome: 'rejected', code: 'WARMVM_HOST_LOST' });
  });

  test('keeps the newest entries alone', async () => {
    const rig = createRig({ hostOptions: { journalEntries: 5 } });
    for (let turn = 0; turn < 20; turn += 1) await rig.run(rig.driver.ping());
    expect(rig.host.journal()).toHaveLength(5);
    expect(rig.host.journal().at(-1)).toMatchObject({ attempt: 20, outcome: 'resolved' });
  });
});
