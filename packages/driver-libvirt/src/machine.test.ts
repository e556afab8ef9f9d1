import type { Machine, MachineChange } from '@warmvm/core/driver';
import { ErrorNumber } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

async function forked(): Promise<{ world: World; machine: Machine; seen: Seen }> {
  const world = await World.create();
  const machine = await world.driver.fork(await world.prepare(), { owner });
  return { world, machine, seen: new Seen(world, machine) };
}

/** What one watcher is told. */
class Seen {
  readonly states: MachineChange['state'][] = [];
  readonly end: Promise<unknown>;
  readonly #world: World;

  constructor(world: World, machine: Machine) {
    this.#world = world;
    const watch = async (): Promise<void> => {
      for await (const { state } of machine.watch()) this.states.push(state);
    };
    this.end = watch().catch((error: unknown) => error);
  }

  /** Everything that is on its way arrives. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await this.#world.clock.virtual.settle();
  }
}

describe('watch', () => {
  test('begins with the present state', async () => {
    const { world, seen } = await forked();
    await using _ = world;
    await seen.settle();
    expect(seen.states).toEqual(['running']);
  });

  test('tells of a pause and of going on, as the state is then', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    world.host.domain(machine.id).pause();
    await seen.settle();
    world.host.domain(machine.id).resume();
    await seen.settle();
    expect(seen.states).toEqual(['running', 'paused', 'running']);
  });

  test('tells of a domain that somebody destroyed', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    world.host.domain(machine.id).stop('destroyed');
    await seen.settle();
    expect(seen.states.at(-1)).toBe('stopped');
  });

  test('tells that a machine is stopping when its agent’s line ends, and of the crash when libvirt knows', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    await seen.settle();
    world.host.domain(machine.id).running.end();
    await seen.settle();
    expect(seen.states).toEqual(['running', 'stopping']);
    world.host.domain(machine.id).stop('crashed');
    await seen.settle();
    expect(seen.states).toEqual(['running', 'stopping', 'crashed']);
    expect(await machine.state()).toBe('crashed');
  });

  test('and state agree at once while libvirt is late with a death', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    await seen.settle();
    world.host.domain(machine.id).running.end();
    await seen.settle();
    expect(await machine.state()).toBe('stopping');
    world.host.domain(machine.id).stop('crashed');
    await seen.settle();
    expect(await machine.state()).toBe('crashed');
    expect(seen.states).toEqual(['running', 'stopping', 'crashed']);
  });

  test.each(['before', 'while'])(
    'and state wait for no answer of libvirt when the line ended %s it is asked',
    async (when) => {
      const { world, machine, seen } = await forked();
      await using _ = world;
      await seen.settle();
      world.host.script('domainGetState', () => 'hang');
      const die = (): void => world.host.domain(machine.id).running.end();
      if (when === 'before') die();
      await seen.settle();
      const asked = machine.state();
      if (when === 'while') die();
      expect(await asked).toBe('stopping');
    },
  );

  test('believes libvirt in the end: a line may end without its machine', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    world.host.domain(machine.id).running.end();
    await seen.settle();
    expect(await machine.state()).toBe('stopping');
    await world.clock.advance(1_000);
    expect(await machine.state()).toBe('running');
    await seen.settle();
    expect(seen.states.at(-1)).toBe('running');
  });

  test('does not mind a look that the host refuses', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    await seen.settle();
    world.host.fault('domainGetState', { code: ErrorNumber.INTERNAL_ERROR });
    world.host.domain(machine.id).pause();
    await seen.settle();
    expect(seen.states).toEqual(['running']);
    expect(await machine.state()).toBe('paused');
  });

  test('hears nothing of other domains', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    const other = await world.driver.fork(await world.prepare(), { owner });
    world.host.domain(other.id).stop('crashed');
    await seen.settle();
    expect(seen.states).toEqual(['running']);
    expect(await machine.state()).toBe('running');
  });

  test('ends on dispose', async () => {
    const { world, machine, seen } = await forked();
    await using _ = world;
    await machine[Symbol.asyncDispose]();
    expect(await seen.end).toBeUndefined();
    expect(seen.states).not.toContain('stopped');
  });
});

describe('a machine', () => {
  test('that was destroyed says so', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    await machine[Symbol.asyncDispose]();
    await expect(machine.state()).rejects.toMatchObject({
      code: 'WARMVM_MACHINE_GONE',
      details: { machine: machine.id },
    });
  });

  test('that the host has forgotten says so', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.domain(machine.id).stop('destroyed');
    world.host.domains.delete(machine.id);
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('is destroyed once, however often it is asked for', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.calls.length = 0;
    await Promise.all([machine[Symbol.asyncDispose](), machine[Symbol.asyncDispose]()]);
    await machine[Symbol.asyncDispose]();
    expect(world.host.calls.filter((name) => name === 'domainDestroy')).toHaveLength(1);
    expect(world.host.inventory.filter((name) => name.startsWith(machine.id))).toEqual([]);
  });

  test('is destroyed also when it has stopped by itself or is gone', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const other = await world.driver.fork(await world.prepare(), { owner });
    world.host.domain(machine.id).stop('crashed');
    world.host.domain(other.id).stop('destroyed');
    world.host.domains.delete(other.id);
    await machine[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(world.host.inventory.filter((name) => !name.includes('golden'))).toEqual([]);
  });

  test('that cannot be destroyed says why', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.script('domainDestroy', () => ({ code: ErrorNumber.ACCESS_DENIED }));
    await expect(machine[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'WARMVM_HOST_DENIED' });
  });
});
