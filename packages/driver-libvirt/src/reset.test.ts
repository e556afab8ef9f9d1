import { getEventListeners } from 'node:events';
import type { Machine, MachineChange } from '@warmvm/core/driver';
import { DomainState, ErrorNumber } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { RENEWAL } from './fixtures/memory-qemu.ts';
import { owner, World } from './fixtures/world.ts';
import { readMark } from './mark.ts';
import type { LibvirtDriverOptions } from './options.ts';

async function forked(options: LibvirtDriverOptions = {}): Promise<{ world: World; machine: Machine }> {
  const world = await World.create(options);
  const machine = await world.driver.fork(await world.prepare(), { owner });
  world.host.calls.length = 0;
  return { world, machine };
}

describe.each(['in-place', 'revert'] as const)('reset (%s)', (reset) => {
  test('takes away everything that the tenant left', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    await machine.guest.writeFile('/run/secret', 'of the old tenant');
    await machine.reset();
    await expect(machine.guest.readFile('/run/secret')).rejects.toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
    expect(await machine.state()).toBe('running');
  });

  test('grows the generation, and records it for whoever adopts the machine', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    await machine.reset();
    await machine.reset();
    expect(machine.generation).toBe(3);
    expect(readMark(world.host.domain(machine.id).xml)?.generation).toBe(3);
    const records = await world.driver.list(owner);
    expect(records.find(({ id }) => id === machine.id)).toMatchObject({ generation: 3, owner });
  });

  test.each(['memory', 'disk'] as const)('fails when %s was not brought back', async (where) => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    const script = (): undefined => {
      const { volume } = world.host.domain(machine.id).running;
      const state = volume.snapshots.get('golden')!;
      const memory = { ...state.memory, ...(where === 'memory' ? { generation: 'kept' } : {}) };
      volume.snapshots.set('golden', { memory, disk: { generation: where === 'disk' ? null : state.disk.generation } });
      return undefined;
    };
    world.host.script('domainMonitorCommand', script);
    world.host.script('domainRevertToSnapshot', script);
    await expect(machine.reset()).rejects.toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      retryable: false,
      details: { machine: machine.id, generation: 2 },
      cause: { code: 'WARMVM_NOT_READY', details: { check: where } },
    });
    expect(machine.generation).toBe(2);
  });

  test('waits for one that is under way', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    await Promise.all([machine.reset(), machine.reset()]);
    expect(machine.generation).toBe(3);
    const marks = world.host.calls.filter((name) => name === 'domainSetMetadata');
    expect(marks).toHaveLength(2);
  });

  test('tells watchers of the new generation and of nothing between', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    const changes: MachineChange[] = [];
    const watching = (async () => {
      for await (const change of machine.watch()) changes.push(change);
    })();
    for (let turn = 0; turn < 3; turn += 1) await machine.reset();
    await world.clock.virtual.settle();
    await machine[Symbol.asyncDispose]();
    await watching;
    expect(changes.map(({ state, generation }) => `${state} ${generation}`)).toEqual([
      'running 1',
      'running 2',
      'running 3',
      'running 4',
    ]);
  });

  test('ends what was asked of the old guest before the new one runs, and asks the new one nothing of it', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    const { guest } = machine;
    world.host.domain(machine.id).running.agent.programs.set('sleep', async ({ killed }) => {
      await killed;
      return { signal: 9 };
    });
    const running = guest.exec(['sleep', '600'], { timeoutMs: 600_000 });
    const ended = running.then(
      () => 'resolved',
      (error: unknown) => error,
    );
    await world.clock.virtual.settle();
    let asked = 0;
    world.host.script('domainSetMetadata', () => {
      asked = world.host.domain(machine.id).running.agent.received.length;
      return undefined;
    });
    await machine.reset();
    expect(await ended).toMatchObject({ code: 'WARMVM_MACHINE_GONE', details: { machine: machine.id } });
    const { received } = world.host.domain(machine.id).running.agent;
    expect(received.slice(asked).filter((name) => name === 'guest-exec')).toHaveLength(1);
    await expect(guest.ping()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await expect(machine.guest.ping()).resolves.toBeUndefined();
  });

  test('that is aborted rejects with the reason, and another one mends it', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    world.host.script('domainSetMetadata', () => {
      controller.abort(reason);
      return undefined;
    });
    await expect(machine.reset({ signal: controller.signal })).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await machine.reset();
    expect(machine.generation).toBe(3);
  });

  test('is cancelled by dispose, which leaves nothing', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    let disposing: PromiseLike<void> = Promise.resolve();
    world.host.script('domainSetMetadata', () => {
      disposing = machine[Symbol.asyncDispose]();
      return undefined;
    });
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await disposing;
    expect(world.host.domains.has(machine.id)).toBe(false);
    expect(world.host.inventory.filter((name) => name.startsWith(machine.id))).toEqual([]);
  });

  test('does not begin after dispose, or with a signal that was aborted before', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    const reason = new Error('no longer wanted');
    await expect(machine.reset({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(machine.generation).toBe(1);
    await machine[Symbol.asyncDispose]();
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('fails when the machine is paused behind its back', async () => {
    const { world, machine } = await forked({ reset });
    await using _ = world;
    world.host.script('domainSetMetadata', () => {
      world.host.domain(machine.id).pause();
      return undefined;
    });
    await expect(machine.reset()).rejects.toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      details: { state: 'paused' },
    });
  });
});

describe('a look at the state', () => {
  const isPaused = ({ state }: { readonly state: number }): boolean => state === DomainState.PAUSED;

  /** Every change that a watcher is told of until the machine is destroyed. */
  async function changesOf(machine: Machine): Promise<readonly string[]> {
    const changes: string[] = [];
    for await (const { state, generation } of machine.watch()) changes.push(`${state} ${generation}`);
    return changes;
  }

  async function settle(world: World): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await world.clock.virtual.settle();
  }

  test('that began before a reset and is answered during it is not told', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const watching = changesOf(machine);
    await settle(world);
    const answer = Promise.withResolvers<void>();
    world.host.hold('domainGetState', answer.promise, isPaused);
    world.host.domain(machine.id).pause();
    await settle(world);
    world.host.domain(machine.id).resume();
    world.host.script('domainSetMetadata', async () => {
      answer.resolve();
      await settle(world);
      return undefined;
    });
    await machine.reset();
    await machine[Symbol.asyncDispose]();
    expect(await watching).toEqual(['running 1', 'running 2']);
  });

  test('that saw the pause of a reset is not told after it', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const watching = changesOf(machine);
    await settle(world);
    const answer = Promise.withResolvers<void>();
    world.host.hold('domainGetState', answer.promise, isPaused);
    let commands = 0;
    world.host.script('domainMonitorCommand', async () => {
      commands += 1;
      if (commands > 1) await settle(world);
      return undefined;
    });
    await machine.reset();
    answer.resolve();
    await settle(world);
    await machine[Symbol.asyncDispose]();
    expect(await watching).toEqual(['running 1', 'running 2']);
  });
});

describe('a reset in place', () => {
  test('keeps the QEMU, its agent’s line, and asks for no revert', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const { qemu } = world.host.domain(machine.id);
    await machine.reset();
    expect(world.host.domain(machine.id).qemu).toBe(qemu);
    expect(world.host.calls).not.toContain('domainOpenChannel');
    expect(world.host.calls.filter((name) => name === 'domainMonitorCommand')).toHaveLength(3);
    expect(world.host.calls).not.toContain('domainRevertToSnapshot');
  });

  test.each(['QEMU', 'libvirt'])('falls back to libvirt’s revert when %s refuses', async (who) => {
    const { world, machine } = await forked();
    await using _ = world;
    const domain = world.host.domain(machine.id);
    const { qemu } = domain;
    const { guest } = machine;
    if (who === 'QEMU') domain.monitor = () => 'Error: State blocked by device\r\n';
    else world.host.script('domainMonitorCommand', () => ({ code: ErrorNumber.OPERATION_UNSUPPORTED }));
    await machine.guest.writeFile('/x', 'y');
    await machine.reset();
    expect(domain.qemu).not.toBe(qemu);
    expect(machine.guest).not.toBe(guest);
    await expect(machine.guest.ping()).resolves.toBeUndefined();
    await expect(machine.guest.readFile('/x')).rejects.toMatchObject({ name: 'WarmvmError' });
  });

  test('is refused where the guest does not show that it has read all: a new QEMU has nothing of it', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const domain = world.host.domain(machine.id);
    const { qemu } = domain;
    // The old tenant's agent answers nothing any more; what is in its port would be there for the next one's.
    for (const sync of ['guest-sync-delimited', 'guest-sync']) domain.running.agent.disabled.add(sync);
    const resetting = machine.reset();
    await world.clock.virtual.settle();
    await world.clock.advance(500);
    await resetting;
    expect(domain.qemu).not.toBe(qemu);
    expect(world.host.calls).not.toContain('domainMonitorCommand');
    await expect(machine.guest.ping()).resolves.toBeUndefined();
  });

  test('is never made under the daemon’s own line to the agent, which nobody can see into', async () => {
    const { world, machine } = await forked({ agentTransport: 'libvirt' });
    await using _ = world;
    await machine.reset();
    expect(world.host.calls).not.toContain('domainMonitorCommand');
    expect(world.host.calls).toContain('domainRevertToSnapshot');
  });

  test('fails when neither way works', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.script('domainMonitorCommand', () => ({ code: ErrorNumber.OPERATION_UNSUPPORTED }));
    world.host.script('domainRevertToSnapshot', () => ({ code: ErrorNumber.OPERATION_FAILED }));
    await expect(machine.reset()).rejects.toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      cause: { code: 'WARMVM_HOST_OPERATION', details: { libvirtCode: ErrorNumber.OPERATION_FAILED } },
    });
  });

  test('fails when the guest does not renew', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.domain(machine.id).running.agent.programs.delete(RENEWAL);
    await expect(machine.reset()).rejects.toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      cause: { details: { check: 'exec' } },
    });
  });
});
