import type { MachineRecord } from '@warmvm/core/driver';
import { ErrorNumber, type ProcedureName } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { MemoryDomain } from './fixtures/memory-domain.ts';
import { owner, World } from './fixtures/world.ts';

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

describe('list', () => {
  test('names what carries the mark of the pool, whoever made it', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const stranger = world.newDriver();
    const records = await stranger.list(owner);
    expect(records.map(({ kind }) => kind).sort()).toEqual(['golden', 'machine']);
    expect(record).toEqual({
      id: record.id,
      kind: 'machine',
      owner,
      generation: 1,
      digest: world.image.digest,
      state: 'running',
    });
    expect(await stranger.list({ pool: 'another' })).toEqual([]);
    await stranger[Symbol.asyncDispose]();
  });

  test('leaves out domains without a mark, and those that vanish meanwhile', async () => {
    const { world } = await withMachine();
    await using _ = world;
    plant(world, 'warmvm-unit-foreign', '<domain><name></name></domain>');
    plant(world, 'somebody-else', '<domain><name></name></domain>');
    world.host.fault('domainGetXmlDesc', { code: ErrorNumber.NO_DOMAIN });
    world.host.script('connectGetAllDomainStats', () => {
      world.host.domains.clear();
      return undefined;
    });
    expect(await world.driver.list(owner)).toEqual([]);
  });

  test.each(['connectListAllDomains', 'domainGetXmlDesc', 'connectGetAllDomainStats'] as const)(
    'rejects when the host refuses %s',
    async (procedure) => {
      const { world } = await withMachine();
      await using _ = world;
      world.host.fault(procedure, { code: ErrorNumber.INTERNAL_ERROR });
      await expect(world.driver.list(owner)).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    },
  );

  test('of all pools names each with its owner', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const other = world.newDriver({ storagePool: 'elsewhere' });
    await other.prepare(world.image, { owner: { ...heir, pool: 'another' } });
    const all = await other.listAll!();
    expect(all.map(({ owner: { pool }, kind }) => `${pool} ${kind}`).sort()).toEqual([
      'another golden',
      'unit golden',
      'unit machine',
    ]);
    for (const found of all) if (found.owner.pool === owner.pool) await other.remove(found);
    expect(world.host.inventory.filter((name) => name.includes('-unit-'))).toEqual([]);
    expect(record.owner.pool).toBe('unit');
    await other[Symbol.asyncDispose]();
  });

  test('of a thousand machines keeps the daemon busy, and asks for their states in one call', async () => {
    const { world, record } = await withMachine();
    await using _ = world;
    const { config } = world.host.domain(record.id);
    for (let number = 1; number < 1_000; number += 1) {
      const xml = config.replaceAll(record.id, `${record.id}-${number}`).replace(/<uuid>[^<]*<\/uuid>/, '');
      const domain = new MemoryDomain(world.host, xml);
      world.host.domains.set(domain.name, domain);
    }
    let [atOnce, most] = [0, 0];
    world.host.script('domainGetXmlDesc', async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise(setImmediate);
      atOnce -= 1;
      return undefined;
    });
    world.host.calls.length = 0;
    expect(await world.driver.list(owner)).toHaveLength(1_001);
    expect(most).toBe(4);
    const times = (name: ProcedureName): number => world.host.calls.filter((call) => call === name).length;
    expect([times('connectGetAllDomainStats'), times('domainGetState'), times('domainGetXmlDesc')]).toEqual([
      1, 0, 1_001,
    ]);
  });
});
