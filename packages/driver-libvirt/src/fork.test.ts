import { getEventListeners } from 'node:events';
import { ErrorNumber, type ProcedureName } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { RENEWAL } from './fixtures/memory-qemu.ts';
import { owner, World } from './fixtures/world.ts';
import { readMark } from './mark.ts';
import { toXml, XmlElement } from './xml.ts';

const STEPS: readonly ProcedureName[] = [
  'storagePoolGetXmlDesc',
  'domainDefineXml',
  'storageVolCreateXmlFrom',
  'domainSnapshotCreateXml',
  'domainSnapshotLookupByName',
  'domainRevertToSnapshot',
  'domainOpenChannel',
  'domainGetState',
];

describe('fork', () => {
  test('makes a machine that runs, from memory and disk of the golden snapshot', async () => {
    await using world = await World.create();
    world.host.guests.onStart = ({ agent }) => agent.files.set('/run/booted', Buffer.from('yes'));
    const golden = await world.prepare();
    delete world.host.guests.onStart;
    const machine = await world.driver.fork(golden, { owner });
    expect(machine.generation).toBe(1);
    expect(await machine.state()).toBe('running');
    expect(Buffer.from(await machine.guest.readFile('/run/booted')).toString()).toBe('yes');
  });

  test('gives each machine a generation of its own, in memory and on disk', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const machines = await Promise.all([1, 2, 3].map(() => world.driver.fork(golden, { owner })));
    const states = machines.map(({ id }) => world.host.domain(id).running.state);
    const generations = new Set(states.flatMap(({ memory, disk }) => [memory.generation, disk.generation]));
    expect(generations.size).toBe(3);
    expect(generations).not.toContain(null);
  });

  test('keeps the machine’s own mark through the revert, which brings the golden’s definition with it', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const other = { ...owner, instance: 'instance-2' };
    const machine = await world.driver.fork(golden, { owner: other });
    const { config, live } = world.host.domain(machine.id);
    const mark = { kind: 'machine', owner: other, generation: 1, volumes: [`${machine.id}.img`] };
    expect(readMark(config)).toMatchObject(mark);
    expect(readMark(live ?? '')).toMatchObject(mark);
    expect(config).not.toMatch(/golden-[0-9a-f]+(\.img|<)/);
  });

  test.each(['/srv/vm images', '/srv/a&amp;b', `/srv/$&$1'"<x>`])(
    'works with the storage path %s',
    async (storagePath) => {
      await using world = await World.create({ storagePath });
      const machine = await world.driver.fork(await world.prepare(), { owner });
      const { path } = world.host.storage.volume('warmvm', `${machine.id}.img`);
      expect(path).toBe(`${storagePath}/${machine.id}.img`);
      await machine.reset();
      expect(XmlElement.parse(world.host.domain(machine.id).config, machine.id).toText()).toContain(
        toXml({ a: path }).slice(3, -4),
      );
      await world.driver[Symbol.asyncDispose]();
      expect(world.host.inventory).toEqual([]);
    },
  );

  test('moves no byte of the disk through the client', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    world.host.calls.length = 0;
    await world.driver.fork(golden, { owner });
    expect(world.host.calls).toContain('storageVolCreateXmlFrom');
    expect(world.host.calls).not.toContain('storageVolUpload');
  });

  test.each(STEPS)('that fails at %s leaves nothing on the host', async (step) => {
    await using world = await World.create();
    const golden = await world.prepare();
    const before = world.host.inventory;
    world.host.fault(step, { code: ErrorNumber.INTERNAL_ERROR });
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      cause: { code: 'WARMVM_HOST_OPERATION', cause: { libvirtCode: ErrorNumber.INTERNAL_ERROR } },
    });
    expect(world.host.inventory).toEqual(before);
    await expect(world.driver.fork(golden, { owner })).resolves.toMatchObject({ generation: 1 });
  });

  test.each(STEPS)('that is aborted at %s leaves nothing on the host and rejects with the reason', async (step) => {
    await using world = await World.create();
    const golden = await world.prepare();
    const before = world.host.inventory;
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    world.host.script(step, () => {
      controller.abort(reason);
      return undefined;
    });
    await expect(world.driver.fork(golden, { owner, signal: controller.signal })).rejects.toBe(reason);
    expect(world.host.inventory).toEqual(before);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('that is aborted while the guest renews leaves nothing on the host', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const before = world.host.inventory;
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    world.host.guests.onStart = ({ agent }) => {
      agent.programs.set(RENEWAL, ({ killed }) => {
        controller.abort(reason);
        return killed.then(() => ({}));
      });
    };
    await expect(world.driver.fork(golden, { owner, signal: controller.signal })).rejects.toBe(reason);
    expect(world.host.inventory).toEqual(before);
  });

  test.each(['memory', 'disk'] as const)('fails when %s is not that of the golden snapshot', async (where) => {
    await using world = await World.create();
    const golden = await world.prepare();
    const before = world.host.inventory;
    world.host.guests.onStart = ({ agent }) => {
      agent.programs.set(RENEWAL, ({ argv }) => {
        const proof = world.host.domains.values().next().value?.config ?? '';
        const goldenId = readMark(proof)?.goldenId ?? '';
        const [memory, disk] = where === 'memory' ? ['another', goldenId] : [goldenId, '-'];
        return { stdout: `warmvm-renewed ${argv[1]} ${memory} ${disk}\n` };
      });
    };
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      cause: { code: 'WARMVM_NOT_READY', details: { check: where } },
    });
    expect(world.host.inventory).toEqual(before);
  });

  test('of a golden snapshot whose volume is gone says that it is missing', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const [name = ''] = world.host.domains.keys();
    world.host.storage.pool('warmvm').volumes.delete(`${name}.img`);
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    expect([...world.host.domains.keys()]).toEqual([name]);
  });

  test('of a golden snapshot that this driver did not make says that it is missing', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const stranger = world.newDriver();
    await expect(stranger.fork(golden, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    await expect(world.driver.fork({ ...golden }, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    await stranger[Symbol.asyncDispose]();
  });

  test('says what it left when it cannot clean up', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    world.host.fault('domainRevertToSnapshot', { code: ErrorNumber.RESOURCE_BUSY });
    world.host.script('domainUndefineFlags', () => ({ code: ErrorNumber.INTERNAL_ERROR }));
    const error = await world.driver.fork(golden, { owner }).catch((thrown: unknown) => thrown);
    const [, name = ''] = world.host.domains.keys();
    expect(error).toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      retryable: true,
      details: { leftBehind: [name, `${name}.img`], machine: name },
    });
  });
});
