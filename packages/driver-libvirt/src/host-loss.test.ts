import type { Machine } from '@warmvm/core/driver';
import type { ProcedureName } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';
import type { LibvirtDriverOptions } from './options.ts';

/** Nobody tries to connect anew. */
const LOST_AT_ONCE: LibvirtDriverOptions = { reconnectMs: 0 };

const LOST = { code: 'WARMVM_HOST_LOST', retryable: true };

async function forked(options: LibvirtDriverOptions = LOST_AT_ONCE): Promise<{ world: World; machine: Machine }> {
  const world = await World.create(options);
  const machine = await world.driver.fork(await world.prepare(), { owner });
  return { world, machine };
}

describe('a host that is lost', () => {
  test('is told to every watcher at once', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const watchers = [machine.watch(), machine.watch()].map((changes) => changes[Symbol.asyncIterator]());
    await Promise.all(watchers.map((watcher) => watcher.next()));
    const ends = watchers.map((watcher) => expect(watcher.next()).rejects.toMatchObject(LOST));
    world.host.die();
    await Promise.all(ends);
  });

  test('fails every call of its machines with the same code', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    const running = expect(machine.guest.exec(['sleep'])).rejects.toMatchObject({ name: 'WarmvmError' });
    world.host.die();
    await running;
    await expect(machine.guest.ping()).rejects.toMatchObject(LOST);
    await expect(machine.state()).rejects.toMatchObject(LOST);
    await expect(machine.reset()).rejects.toMatchObject(LOST);
  });

  test.each<ProcedureName>(['domainMonitorCommand', 'domainSetMetadata', 'domainGetState'])(
    'during a reset (%s) is what the reset rejects with',
    async (step) => {
      const { world, machine } = await forked();
      await using _ = world;
      world.host.fault(step, 'die');
      await expect(machine.reset()).rejects.toMatchObject(LOST);
    },
  );

  test.each<ProcedureName>(['domainDefineXml', 'storageVolCreateXmlFrom', 'domainRevertToSnapshot'])(
    'during a fork (%s) is what the fork rejects with',
    async (step) => {
      await using world = await World.create(LOST_AT_ONCE);
      const golden = await world.prepare();
      world.host.fault(step, 'die');
      await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject(LOST);
    },
  );

  test.each<ProcedureName>(['domainDefineXml', 'storageVolUpload', 'domainCreateWithFlags', 'domainSnapshotCreateXml'])(
    'during a prepare (%s) is what the prepare rejects with, and what was made is removed when it is back',
    async (step) => {
      await using world = await World.create(LOST_AT_ONCE);
      world.host.fault(step, 'die');
      await expect(world.prepare()).rejects.toMatchObject(LOST);
      expect(world.host.inventory).toEqual([]);
    },
  );

  test('and stays away says what was left there', async () => {
    await using world = await World.create(LOST_AT_ONCE);
    const golden = await world.prepare();
    world.host.script('domainRevertToSnapshot', () => {
      world.host.unreachable = true;
      return 'die';
    });
    const error = await world.driver.fork(golden, { owner }).catch((thrown: unknown) => thrown);
    const name = [...world.host.domains.keys()].at(-1);
    expect(error).toMatchObject({ ...LOST, details: { leftBehind: [name, `${name}.img`] } });
  });

  test('during a prepare, and stays away, is told with what was left there', async () => {
    await using world = await World.create(LOST_AT_ONCE);
    world.host.script('domainCreateWithFlags', () => {
      world.host.unreachable = true;
      return 'die';
    });
    const error = await world.prepare().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      ...LOST,
      details: { leftBehind: expect.arrayContaining([...world.host.inventory]) },
    });
  });

  test('is reached again by the next call of the driver', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.die();
    await world.clock.virtual.settle();
    const records = await world.driver.list(owner);
    expect(records.find(({ id }) => id === machine.id)).toMatchObject({ state: 'running' });
  });

  test('and cannot be reached again is still lost, not unreachable', async () => {
    const { world } = await forked();
    await using _ = world;
    world.host.unreachable = true;
    world.host.die();
    await world.clock.virtual.settle();
    await expect(world.driver.ping()).rejects.toMatchObject({
      ...LOST,
      cause: { code: 'WARMVM_HOST_UNREACHABLE' },
    });
  });

  test('does not keep dispose from resolving', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.unreachable = true;
    world.host.die();
    await machine[Symbol.asyncDispose]();
    await world.driver[Symbol.asyncDispose]();
  });

  test('is cleaned by dispose when it is back', async () => {
    const { world, machine } = await forked();
    await using _ = world;
    world.host.die();
    await machine[Symbol.asyncDispose]();
    expect(world.host.domains.has(machine.id)).toBe(false);
  });
});

describe('a host that was never reached', () => {
  test('is unreachable', async () => {
    await using world = await World.create();
    world.host.unreachable = true;
    await expect(world.driver.ping()).rejects.toMatchObject({ code: 'WARMVM_HOST_UNREACHABLE' });
    await expect(world.prepare()).rejects.toMatchObject({ code: 'WARMVM_HOST_UNREACHABLE' });
  });

  test('does not answer for ever is given up by abort', async () => {
    await using world = await World.create();
    world.host.script('authList', () => 'hang');
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const pinging = world.driver.ping({ signal: controller.signal });
    controller.abort(reason);
    await expect(pinging).rejects.toBe(reason);
  });
});
