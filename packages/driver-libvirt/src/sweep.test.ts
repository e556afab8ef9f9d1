import { ErrorNumber } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';
import { markXml, readMark } from './mark.ts';
import { sweep, sweepThoroughly } from './sweep.ts';

const other = { ...owner, instance: 'instance-2' };
const dead = new Set([owner.instance]);

/** A host on which one instance left a golden snapshot and a machine. */
async function abandoned(): Promise<World> {
  const world = await World.create();
  await world.driver.fork(await world.prepare(), { owner });
  return world;
}

describe('sweep', () => {
  test('removes everything of the instances it is told of, the storage pool included', async () => {
    await using world = await abandoned();
    expect(await sweep({ dial: world.host.dial }, dead)).toBe(2);
    expect(world.host.inventory).toEqual([]);
    expect(world.host.storage.pools.size).toBe(0);
  });

  test('touches nothing of others', async () => {
    await using world = await abandoned();
    const survivor = world.newDriver();
    const golden = await survivor.prepare(world.image, { owner: other });
    const machine = await survivor.fork(golden, { owner: other });
    await sweep({ dial: world.host.dial }, dead);
    expect(await machine.state()).toBe('running');
    await machine.reset();
    expect(world.host.domains.size).toBe(2);
    await survivor[Symbol.asyncDispose]();
  });

  test('touches no machine that somebody adopts while it works', async () => {
    await using world = await abandoned();
    const golden = await world.prepare();
    await world.driver.fork(golden, { owner });
    const ids = [...world.host.domains.keys()].filter((name) => !name.includes('golden'));
    world.host.script('domainDestroy', ({ dom }) => {
      const left = ids.find((id) => id !== (dom as { readonly name: string }).name)!;
      const domain = world.host.domains.get(left);
      domain?.setMark(markXml({ ...readMark(domain.xml)!, owner: other }), true);
      return undefined;
    });
    await sweep({ dial: world.host.dial }, dead);
    expect(ids.filter((id) => world.host.domains.get(id)?.qemu !== undefined)).toHaveLength(1);
  });

  test('removes machines before the golden snapshots that they rest on', async () => {
    await using world = await abandoned();
    world.host.calls.length = 0;
    const destroyed: string[] = [];
    world.host.script('domainDestroy', ({ dom }) => {
      destroyed.push((dom as { readonly name: string }).name);
      return undefined;
    });
    await sweep({ dial: world.host.dial }, dead);
    expect(destroyed.map((name) => name.includes('golden'))).toEqual([false, true]);
  });

  test('closes its connection also when it fails', async () => {
    await using world = await abandoned();
    await world.clock.virtual.settle();
    const before = world.host.openConnections;
    world.host.fault('connectListAllDomains', { code: ErrorNumber.INTERNAL_ERROR });
    await expect(sweep({ dial: world.host.dial }, dead)).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    await world.clock.virtual.settle();
    expect(world.host.openConnections).toBe(before);
  });
});

describe('sweepThoroughly', () => {
  /** Runs until it is done, however often it waits. */
  async function finish(world: World, giveUpMs = 30_000): Promise<unknown> {
    let done = false;
    const sweeping = sweepThoroughly({ dial: world.host.dial, clock: world.clock, giveUpMs }, dead).finally(() => {
      done = true;
    });
    for (let second = 0; !done && second < 600; second += 1) {
      for (let turn = 0; turn < 20; turn += 1) await world.clock.virtual.settle();
      await world.clock.advance(1_000);
    }
    return sweeping;
  }

  test('looks again, for what a call under way still made', async () => {
    await using world = await abandoned();
    const survivor = world.newDriver();
    world.host.script('domainUndefineFlags', async () => {
      world.host.script('domainUndefineFlags');
      await survivor.prepare(world.image, { owner });
      return undefined;
    });
    expect(await finish(world, 600_000)).toBeUndefined();
    expect(world.host.inventory).toEqual([]);
  });

  test('tries a host again that does not answer', async () => {
    await using world = await abandoned();
    world.host.unreachable = true;
    const before = world.host.dials;
    const finished = finish(world);
    await world.clock.advance(5_000);
    world.host.unreachable = false;
    await finished;
    expect(world.host.dials).toBeGreaterThan(before + 1);
    expect(world.host.inventory).toEqual([]);
  });

  test('gives up a host that never answers', async () => {
    await using world = await abandoned();
    world.host.unreachable = true;
    const before = world.host.dials;
    const startedAt = world.clock.now();
    expect(await finish(world)).toMatchObject({ code: 'WARMVM_HOST_UNREACHABLE' });
    expect(world.host.dials - before).toBe(5);
    expect(world.clock.now() - startedAt).toBeLessThan(50_000);
  });

  test('gives up at once on a host that does not let it in', async () => {
    await using world = await abandoned();
    const before = world.host.dials;
    world.host.fault('connectOpen', { code: ErrorNumber.AUTH_FAILED });
    expect(await finish(world, 600_000)).toMatchObject({ code: 'WARMVM_HOST_DENIED' });
    expect(world.host.dials - before).toBe(1);
  });
});
