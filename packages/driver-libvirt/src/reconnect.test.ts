import type { Machine as AnyMachine, MachineChange } from '@warmvm/core/driver';
import type { GuestAgent } from '@warmvm/guest-agent';
import type { ProcedureName } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

type Machine = AnyMachine & { readonly guest: GuestAgent };

async function forked(): Promise<{ world: World; machine: Machine }> {
  const world = await World.create();
  const machine = await world.driver.fork(await world.prepare(), { owner });
  return { world, machine: machine as Machine };
}

/** The states that a watcher is told, as they come. */
function watched(machine: Machine): { readonly states: readonly string[]; readonly failed: unknown } {
  const seen: { states: string[]; failed: unknown } = { states: [], failed: undefined };
  void (async () => {
    try {
      for await (const { state } of machine.watch() as AsyncIterable<MachineChange>) seen.states.push(state);
    } catch (error) {
      seen.failed = error;
    }
  })();
  return seen;
}

describe('a connection that breaks and comes back', () => {
  test('leaves machines, their handles and who watches them as they were', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const seen = watched(machine);
    const { guest } = machine;
    world.host.die();
    await world.clock.virtual.settle();
    expect(await machine.state()).toBe('running');
    await guest.ping();
    await machine.reset();
    expect(machine.generation).toBe(2);
    expect(seen).toEqual({ states: ['running', 'running'], failed: undefined });
  });

  test('is told of deaths that happened meanwhile, and of domains that went away', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const golden = await world.prepare();
    const other = await world.driver.fork(golden, { owner });
    const seen = [watched(machine), watched(other as Machine)];
    await world.clock.virtual.settle();
    world.host.die();
    world.host.domain(machine.id).stop('crashed');
    world.host.domain(other.id).stop('destroyed');
    world.host.domains.delete(other.id);
    await world.clock.virtual.settle();
    await expect.poll(() => seen[0]?.states.at(-1)).toBe('crashed');
    await expect.poll(() => seen[1]?.states.at(-1)).toBe('stopped');
  });

  test('hears events of what happens afterwards', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const seen = watched(machine);
    world.host.die();
    expect(await machine.state()).toBe('running');
    world.host.domain(machine.id).stop('crashed');
    await expect.poll(() => seen.states.at(-1)).toBe('crashed');
  });

  test.each<ProcedureName>(['domainGetState', 'domainGetXmlDesc', 'connectListAllDomains'])(
    'lets questions wait and answers them (%s)',
    async (name) => {
      const { world, machine } = await forked();
      await using _ = world;
      world.host.fault(name, 'die');
      expect((await world.driver.list(owner)).map(({ id }) => id)).toContain(machine.id);
    },
  );

  test('costs a call to the guest that was under way, and no other', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const lost = { code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: true, details: { interrupted: true } };
    const { guest } = machine;
    const running = expect(guest.ping()).rejects.toMatchObject(lost);
    world.host.die();
    await running;
    await guest.ping();
  });

  test.each<ProcedureName>(['domainMonitorCommand', 'domainOpenChannel'])(
    'costs a reset that was under way at %s, or is not noticed by it',
    async (name) => {
      const { world, machine } = await forked();
      await using _ = world;
      world.host.fault(name, 'die');
      const ended = await machine.reset().then(
        () => 'reset',
        (error: { code: string }) => error.code,
      );
      expect(['reset', 'WARMVM_RESET_FAILED']).toContain(ended);
      await machine[Symbol.asyncDispose]();
      expect(world.host.domains.has(machine.id)).toBe(false);
    },
  );

  test.each<ProcedureName>([
    'domainDefineXml',
    'storageVolCreateXmlFrom',
    'domainSnapshotCreateXml',
    'domainRevertToSnapshot',
  ])('costs a fork that was under way at %s, of which nothing is left', async (name) => {
    await using world = await World.create();
    const golden = await world.prepare();
    const before = world.host.inventory;
    world.host.fault(name, 'die');
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      retryable: true,
      details: { leftBehind: [] },
    });
    expect(world.host.inventory).toEqual(before);
    await world.driver.fork(golden, { owner });
  });

  test.each(['boot', 'agent', 'warm-up', 'quiesce', 'snapshot'] as const)(
    'costs a golden snapshot that was being made (%s), says nothing against its image, and leaves nothing of it',
    async (step) => {
      await using world = await World.create();
      const preparing = world.driver.prepare(world.image, {
        owner,
        onProgress: (progress) => {
          if (progress.step === step) world.host.die();
        },
      });
      await expect(preparing).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION', retryable: true });
      expect(world.host.inventory).toEqual([]);
      await world.prepare();
    },
  );

  test('finds the domain whose definition was done and never answered', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const before = world.host.inventory;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.host.hold('domainDefineXml', held);
    const forking = world.driver.fork(golden, { owner });
    await expect.poll(() => world.host.inventory.length).toBeGreaterThan(before.length);
    world.host.die();
    release();
    const machine = await forking;
    await machine[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual(before);
  });

  test('does not keep dispose from removing everything', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.fault('domainDestroy', 'die');
    await machine[Symbol.asyncDispose]();
    world.host.fault('storageVolDelete', 'die');
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
  });

  test('opens one connection for all who wait', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const dials = world.host.dials;
    world.host.die();
    await Promise.all(Array.from({ length: 10 }, () => machine.state()));
    // The first, and the line to the agent.
    expect(world.host.dials - dials).toBeLessThanOrEqual(3);
  });
});

describe('a connection that stays away', () => {
  test('is tried until it is too late, and those who watch are told once', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const seen = watched(machine);
    await world.clock.virtual.settle();
    const dials = world.host.dials;
    world.host.unreachable = true;
    world.host.die();
    const asking = expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    for (let elapsed = 0; elapsed < 5_500; elapsed += 250) {
      expect(elapsed < 4_500 ? seen.failed : undefined).toBeUndefined();
      await world.clock.advance(250);
    }
    await asking;
    expect(seen.failed).toMatchObject({ code: 'WARMVM_HOST_LOST', retryable: true });
    const attempts = world.host.dials - dials;
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(15);
    world.host.unreachable = false;
    expect((await world.driver.list(owner)).length).toBeGreaterThan(0);
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
  });

  test('is given up at once by dispose', async () => {
    const { world } = await forked();
    await using _ = world;
    world.host.unreachable = true;
    world.host.die();
    await world.clock.virtual.settle();
    const disposing = world.driver[Symbol.asyncDispose]();
    for (let elapsed = 0; elapsed < 6_000; elapsed += 500) await world.clock.advance(500);
    await disposing;
  });

  test('lets who waits leave by abort', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.unreachable = true;
    world.host.die();
    await world.clock.virtual.settle();
    const controller = new AbortController();
    const reason = new Error('enough');
    const asking = expect(machine.state({ signal: controller.signal })).rejects.toBe(reason);
    controller.abort(reason);
    await asking;
    for (let elapsed = 0; elapsed < 6_000; elapsed += 500) await world.clock.advance(500);
  });
});

test('the connection of one stream that ends while it opens breaks nothing else', async () => {
  await using world = await World.create();
  const golden = await world.prepare();
  const neighbour = (await world.driver.fork(golden, { owner })) as Machine;
  let answer = (): void => {};
  const busy = new Promise<void>((resolve) => {
    answer = resolve;
  });
  world.host.domain(neighbour.id).running.agent.programs.set('wait', async () => {
    await busy;
    return {};
  });
  const waiting = neighbour.guest.exec(['wait']);
  const before = world.host.dials;
  world.host.fault('domainOpenChannel', 'drop');
  await world.driver.fork(golden, { owner });
  // One connection for the channel that ended, one for the channel that stays.
  expect(world.host.dials - before).toBe(2);
  answer();
  expect(await waiting).toMatchObject({ exitCode: 0 });
});
