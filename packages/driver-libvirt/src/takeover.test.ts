import type { MachineRecord } from '@warmvm/core/driver';
import { ErrorNumber } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { MemoryDomain } from './fixtures/memory-domain.ts';
import { owner, World } from './fixtures/world.ts';
import { markXml, readMark } from './mark.ts';

const heir = { ...owner, instance: 'instance-2' };

async function withMachine(): Promise<{ world: World; record: MachineRecord }> {
  const world = await World.create();
  await world.driver.fork(await world.prepare(), { owner });
  const records = await world.driver.list(owner);
  return { world, record: records.find(({ kind }) => kind === 'machine')! };
}

function plant(world: World, name: string, xml: string): MemoryDomain {
  const domain = new MemoryDomain(world.host, xml.replace('<name>', `<name>${name}`));
  world.host.domains.set(name, domain);
  return domain;
}

describe('adopt', () => {
  test('takes a machine over with its generation, which can then be reset', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const other = world.newDriver();
    const machine = await other.adopt(record, { owner: heir });
    expect(machine).toMatchObject({ id: record.id, generation: 1 });
    expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(heir);
    await machine.reset();
    expect(machine.generation).toBe(2);
    await other[Symbol.asyncDispose]();
    expect(world.host.domains.has(record.id)).toBe(false);
  });

  test('leaves the handle of the old owner without any power over the machine', async () => {
    await using world = await World.create();
    const handle = await world.driver.fork(await world.prepare(), { owner });
    const record = (await world.driver.list(owner)).find(({ kind }) => kind === 'machine')!;
    const other = world.newDriver();
    const machine = await other.adopt(record, { owner: heir });
    await expect(handle.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE', message: /taken over/ });
    expect(readMark(world.host.domain(record.id).xml)).toMatchObject({ owner: heir, generation: 1 });
    await handle[Symbol.asyncDispose]();
    await world.driver[Symbol.asyncDispose]();
    expect(await machine.state()).toBe('running');
    await other[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
  });

  test('holds through a reset over libvirt, which brings the old mark back, also when it is given up or fails', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const other = world.newDriver({ reset: 'revert' });
    const machine = await other.adopt(record, { owner: heir });
    const instance = (): string | undefined => readMark(world.host.domain(record.id).xml)?.owner.instance;
    await machine.reset();
    expect(instance()).toBe(heir.instance);
    const controller = new AbortController();
    world.host.script('domainOpenChannel', () => {
      controller.abort(new Error('enough'));
      return undefined;
    });
    await expect(machine.reset({ signal: controller.signal })).rejects.toThrow('enough');
    expect(instance()).toBe(heir.instance);
    world.host.script('domainOpenChannel');
    world.host.storage.atPath(`/var/lib/libvirt/images/warmvm/${record.id}.img`).snapshots.clear();
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_RESET_FAILED' });
    expect(instance()).toBe(heir.instance);
    await other[Symbol.asyncDispose]();
    expect(world.host.domains.has(record.id)).toBe(false);
  });

  test('that fails leaves the machine to its old owner', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    world.host.fault('domainOpenChannel', { code: ErrorNumber.INTERNAL_ERROR });
    await expect(world.driver.adopt(record, { owner: heir })).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(owner);
  });

  describe('beside another process that adopts the same machine', () => {
    const winner = { ...owner, instance: 'instance-3' };
    const takenBy = (world: World, id: string) => (): undefined => {
      const domain = world.host.domain(id);
      domain.setMark(markXml({ ...readMark(domain.xml)!, owner: winner }), domain.live !== undefined);
    };

    test.each([
      ['before its own mark is written', 'domainGetState', undefined],
      ['while the machine is taken over', 'domainOpenChannel', undefined],
      ['before it fails', 'domainOpenChannel', { code: ErrorNumber.INTERNAL_ERROR }],
    ] as const)('leaves that one’s mark, which came %s', async (_when, procedure, fault) => {
      const { world, record } = await withMachine();
      await using _ = world;
      const take = takenBy(world, record.id);
      world.host.script(procedure, () => {
        world.host.script(procedure);
        take();
        return fault;
      });
      const other = world.newDriver();
      await expect(other.adopt(record, { owner: heir })).rejects.toMatchObject({
        code: fault === undefined ? 'WARMVM_MACHINE_GONE' : 'WARMVM_HOST_OPERATION',
      });
      expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(winner);
      await other.remove(record);
      await other[Symbol.asyncDispose]();
      expect(world.host.domain(record.id).qemu).toBeDefined();
    });

    test.each(['in-place', 'revert'] as const)('a reset %s writes no mark over that one’s', async (reset) => {
      const { world, record } = await withMachine();
      await using _ = world;
      const other = world.newDriver({ reset });
      const machine = await other.adopt(record, { owner: heir });
      const take = takenBy(world, record.id);
      // The last step before the generation is written.
      world.host.hold(
        reset === 'in-place' ? 'domainMonitorCommand' : 'domainRevertToSnapshot',
        Promise.resolve(),
        () => {
          const isLast = reset === 'revert' || world.host.domain(record.id).reason === 5;
          if (isLast) take();
          return isLast;
        },
      );
      await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
      expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(winner);
      await other[Symbol.asyncDispose]();
      expect(world.host.domain(record.id).qemu).toBeDefined();
    });
  });

  test.each([
    ['crashed', 'WARMVM_MACHINE_CRASHED'],
    ['destroyed', 'WARMVM_NOT_READY'],
  ] as const)('refuses a machine that is %s', async (why, code) => {
    const { world, record } = await withMachine();
    await using _ = world;
    world.host.domain(record.id).stop(why);
    await expect(world.driver.adopt(record, { owner: heir })).rejects.toMatchObject({ code });
    expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(owner);
  });

  test('refuses a machine that has just died, of which libvirt still says that it runs', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const domain = world.host.domain(record.id);
    let looks = 0;
    world.host.script('domainGetState', () => {
      looks += 1;
      if (looks === 2) domain.running.end();
      if (looks === 5) domain.stop('crashed');
      return undefined;
    });
    const other = world.newDriver();
    const adopting = other.adopt(record, { owner: heir });
    await expect(adopting).rejects.toMatchObject({ code: 'WARMVM_MACHINE_CRASHED' });
    expect(readMark(domain.xml)?.owner).toEqual(owner);
    await other[Symbol.asyncDispose]();
    expect(world.host.domains.has(record.id)).toBe(true);
  });

  test('refuses a machine that dies after it was looked at, whichever step meets that', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    world.host.script('domainOpenChannel', () => {
      world.host.domain(record.id).stop('crashed');
      return { code: ErrorNumber.OPERATION_INVALID, message: 'domain is not running' };
    });
    await expect(world.newDriver().adopt(record, { owner: heir })).rejects.toMatchObject({
      code: 'WARMVM_MACHINE_CRASHED',
      cause: { code: 'WARMVM_HOST_OPERATION' },
    });
    expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(owner);
  });

  test('refuses a golden snapshot', async () => {
    const { world } = await withMachine();
    await using _ = world;
    const golden = (await world.driver.list(owner)).find(({ kind }) => kind === 'golden')!;
    await expect(world.driver.adopt(golden, { owner: heir })).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
  });

  test('does not find a machine that is gone', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    await expect(world.driver.adopt({ ...record, id: 'warmvm-unit-gone' }, { owner: heir })).rejects.toMatchObject({
      code: 'WARMVM_MACHINE_GONE',
      details: { machine: 'warmvm-unit-gone' },
    });
  });
});

describe('remove', () => {
  test('destroys what the record names, and absent is success', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const other = world.newDriver();
    await other.remove(record);
    await other.remove(record);
    expect(world.host.inventory.filter((name) => name.startsWith(record.id))).toEqual([]);
    expect(world.host.domains.size).toBe(1);
    await other[Symbol.asyncDispose]();
  });

  test('of the last thing takes the storage pool away, whoever made it, unless the driver has something itself', async () => {
    const { world } = await withMachine();
    await using _ = world;
    const records = await world.driver.list(owner);
    const other = world.newDriver();
    const busy = world.newDriver();
    await busy.prepare(world.image, { owner: { ...owner, pool: 'another' } });
    for (const record of records) await other.remove(record);
    expect(world.host.storage.pools.size).toBe(1);
    const [golden] = await other.list({ pool: 'another' });
    await other.remove(golden!);
    expect(world.host.inventory).toEqual([]);
    expect(world.host.storage.pools.size).toBe(0);
  });

  test('does not touch a domain without our mark, with another pool’s, or taken over by somebody', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    plant(world, 'foreign', '<domain><name></name></domain>');
    await world.driver.remove({ ...record, id: 'foreign' });
    await world.driver.remove({ ...record, owner: { ...owner, pool: 'another' } });
    await world.driver.remove({ ...record, owner: heir });
    expect([...world.host.domains.keys()]).toEqual(expect.arrayContaining(['foreign', record.id]));
    expect(world.host.domain(record.id).qemu).toBeDefined();
  });

  test('of this driver’s golden snapshot makes it forget that', async () => {
    const { world } = await withMachine();
    await using _ = world;
    const golden = await world.prepare();
    const record = (await world.driver.list(owner)).find(({ kind }) => kind === 'golden')!;
    await world.driver.remove(record);
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    expect(await world.prepare()).not.toBe(golden);
  });

  test('removes the volumes of another storage pool that the mark names', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const other = world.newDriver({ storagePool: 'elsewhere' });
    await other.remove(record);
    expect(world.host.inventory.filter((name) => name.startsWith(record.id))).toEqual([]);
    await other[Symbol.asyncDispose]();
  });

  test('waits for a copy that the daemon is still making for somebody who is gone', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    let refusals = 0;
    world.host.script('storageVolDelete', () => {
      refusals += 1;
      return refusals > 3
        ? undefined
        : { code: ErrorNumber.OPERATION_INVALID, message: 'volume is still being allocated' };
    });
    await world.driver.remove(record);
    expect(refusals).toBe(4);
    expect(world.host.inventory.filter((name) => name.startsWith(record.id))).toEqual([]);
  });

  test('gives a volume up that stays in use, and keeps the mark', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    world.host.script('storageVolDelete', () => ({ code: ErrorNumber.OPERATION_INVALID }));
    await expect(world.driver.remove(record)).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(owner);
  });

  test('rejects when the host refuses, and keeps the mark until all else is gone', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    world.host.fault('storageVolDelete', { code: ErrorNumber.INTERNAL_ERROR });
    await expect(world.driver.remove(record)).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    expect(readMark(world.host.domain(record.id).xml)?.owner).toEqual(owner);
    await world.driver.remove(record);
    expect(world.host.domains.has(record.id)).toBe(false);
  });

  test('rejects with the reason of a signal', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const reason = new Error('no longer wanted');
    const signal = AbortSignal.abort(reason);
    await expect(world.driver.remove(record, { signal })).rejects.toBe(reason);
    expect(world.host.domains.has(record.id)).toBe(true);
  });
});
