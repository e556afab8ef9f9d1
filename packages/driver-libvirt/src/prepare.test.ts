import { getEventListeners } from 'node:events';
import type { KernelBoot, PrepareProgress } from '@warmvm/core/driver';
import { ErrorNumber, type ProcedureName } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

const INTERNAL = { code: ErrorNumber.INTERNAL_ERROR };

/** What a prepare asks the daemon for, in order, once the host is known. */
const STEPS: readonly ProcedureName[] = [
  'connectGetCapabilities',
  'storagePoolLookupByName',
  'storagePoolDefineXml',
  'storagePoolBuild',
  'storagePoolCreate',
  'storagePoolGetXmlDesc',
  'domainDefineXml',
  'storageVolCreateXml',
  'storageVolUpload',
  'domainCreateWithFlags',
  'domainOpenChannel',
  'domainSnapshotCreateXml',
  'domainSnapshotGetXmlDesc',
  'domainDestroy',
];

describe('prepare', () => {
  test('leaves a stopped template with its volumes and its mark', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    expect(golden).toMatchObject({ digest: world.image.digest, host: 'memory-host', image: world.image });
    const [name = ''] = world.host.domains.keys();
    expect(name).toMatch(/^warmvm-unit-golden-[0-9a-f]{12}$/);
    expect(world.host.inventory).toEqual([name, `${name}.img`, `${name}.initrd`, `${name}.kernel`].sort());
    expect(world.host.domain(name).qemu).toBeUndefined();
    const records = await world.driver.list({ pool: owner.pool });
    expect(records).toEqual([
      { id: name, kind: 'golden', owner, generation: 0, digest: world.image.digest, state: 'stopped' },
    ]);
  });

  test('puts the files of the image on the host', async () => {
    await using world = await World.create();
    await world.prepare();
    const { volumes } = world.host.storage.pool('warmvm');
    const contents = [...volumes].map(([name, { content }]) => [/\.\w+$/.exec(name)?.[0], content.toString('latin1')]);
    expect(Object.fromEntries(contents)).toMatchObject({ '.kernel': 'the kernel', '.initrd': 'the initrd' });
  });

  test('prepares a disk image over its base', async () => {
    await using world = await World.create();
    const { kernel: disk } = world.image.boot as KernelBoot;
    const boot = { kind: 'disk', disk, format: 'qcow2', diskBytes: 2 ** 20 } as const;
    await world.prepare({ ...world.image, boot });
    const [name = ''] = world.host.domains.keys();
    expect(world.host.inventory).toEqual([name, `${name}.base`, `${name}.img`]);
    expect(world.host.domain(name).config).toContain(`<source file="/var/lib/libvirt/images/warmvm/${name}.base"/>`);
  });

  test('tells what it is at, in order', async () => {
    await using world = await World.create();
    const steps: PrepareProgress['step'][] = [];
    await world.driver.prepare(world.image, { owner, onProgress: ({ step }) => steps.push(step) });
    expect([...new Set(steps)]).toEqual(['upload', 'boot', 'agent', 'warm-up', 'quiesce', 'snapshot']);
  });

  test('takes the snapshot only after the guest has been written to disk and runs again', async () => {
    await using world = await World.create();
    const seen: string[] = [];
    world.host.guests.onStart = ({ agent }) => {
      agent.programs.set('sync', () => {
        seen.push('sync');
        return {};
      });
      world.host.script('domainSnapshotCreateXml', () => {
        seen.push(...agent.received.filter((command) => command.includes('fsfreeze')), 'snapshot');
        return undefined;
      });
    };
    await world.prepare();
    expect(seen).toEqual(['sync', 'guest-fsfreeze-freeze', 'guest-fsfreeze-thaw', 'snapshot']);
  });

  test('does without a freeze where the agent has none', async () => {
    await using world = await World.create();
    world.host.guests.onStart = ({ agent }) => {
      agent.disabled.add('guest-fsfreeze-freeze').add('guest-fsfreeze-thaw');
    };
    await expect(world.prepare()).resolves.toMatchObject({ digest: world.image.digest });
  });

  test('is one job for all who ask for the same image, and reused afterwards', async () => {
    await using world = await World.create();
    const [one, other] = await Promise.all([world.prepare(), world.prepare()]);
    expect(other).toBe(one);
    const steps: string[] = [];
    expect(await world.driver.prepare(world.image, { owner, onProgress: ({ step }) => steps.push(step) })).toBe(one);
    expect(steps).toEqual(['reuse']);
    expect(world.host.domains.size).toBe(1);
  });

  test('goes on for those who stay when one of them leaves', async () => {
    await using world = await World.create();
    const leaver = new AbortController();
    const reason = new Error('no longer wanted');
    const left = world.driver.prepare(world.image, { owner, signal: leaver.signal });
    const stayed = world.prepare();
    leaver.abort(reason);
    await expect(left).rejects.toBe(reason);
    await expect(stayed).resolves.toMatchObject({ digest: world.image.digest });
    expect(getEventListeners(leaver.signal, 'abort')).toHaveLength(0);
  });

  test('makes the snapshot anew when somebody has removed it', async () => {
    await using world = await World.create();
    const first = await world.prepare();
    const [name = ''] = world.host.domains.keys();
    world.host.storage.pool('warmvm').volumes.delete(`${name}.img`);
    const second = await world.prepare();
    expect(second).not.toBe(first);
    expect(world.host.domains.size).toBe(1);
    expect(world.host.inventory.filter((thing) => thing.startsWith(name))).toEqual([name].slice(1));
    await expect(world.driver.fork(second, { owner })).resolves.toMatchObject({ generation: 1 });
  });

  test.each(STEPS)('that fails at %s leaves nothing on the host and can be tried again', async (step) => {
    await using world = await World.create();
    world.host.fault(step, INTERNAL);
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { libvirtCode: ErrorNumber.INTERNAL_ERROR },
      cause: { code: 'LIBVIRT_REMOTE' },
    });
    expect(world.host.inventory).toEqual([]);
    await expect(world.prepare()).resolves.toMatchObject({ digest: world.image.digest });
  });

  test.each(STEPS)('that is aborted at %s leaves nothing on the host and rejects with the reason', async (step) => {
    await using world = await World.create();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    world.host.script(step, () => {
      controller.abort(reason);
      return undefined;
    });
    await expect(world.driver.prepare(world.image, { owner, signal: controller.signal })).rejects.toBe(reason);
    expect(world.host.inventory).toEqual([]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('rejects with the reason of a signal that was aborted before, without a call', async () => {
    await using world = await World.create();
    const reason = new Error('no longer wanted');
    const signal = AbortSignal.abort(reason);
    await expect(world.driver.prepare(world.image, { owner, signal })).rejects.toBe(reason);
    expect(world.host.dials).toBe(0);
  });

  test('says what it left when it cannot clean up', async () => {
    await using world = await World.create();
    world.host.fault('domainCreateWithFlags', INTERNAL);
    world.host.script('domainUndefineFlags', () => INTERNAL);
    const error = await world.prepare().catch((thrown: unknown) => thrown);
    const [name = ''] = world.host.domains.keys();
    expect(error).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      details: { leftBehind: [name, `${name}.img`, `${name}.kernel`, `${name}.initrd`] },
    });
  });

  test('gives the daemon’s reason for an upload that it ends', async () => {
    await using world = await World.create();
    world.host.uploadEnds = ErrorNumber.SYSTEM_ERROR;
    await expect(world.prepare()).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      message: expect.stringContaining('No space left on device'),
    });
    expect(world.host.inventory).toEqual([]);
  });

  test('uses a storage pool that is there, and starts it when it is stopped', async () => {
    await using world = await World.create();
    world.host.storage.define('<pool><name>warmvm</name><path>/elsewhere</path></pool>');
    world.host.storage.pool('warmvm').built = true;
    await world.prepare();
    expect(world.host.calls).not.toContain('storagePoolBuild');
    expect([...world.host.storage.pool('warmvm').volumes.values()][0]?.path).toMatch(/^\/elsewhere\//);
  });

  test('finishes a storage pool of ours whose maker was killed half-way', async () => {
    await using world = await World.create();
    world.host.script('storagePoolBuild', () => INTERNAL);
    await expect(world.prepare()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    expect(world.host.storage.pool('warmvm').built).toBe(false);
    world.host.script('storagePoolBuild');
    await expect(world.prepare()).resolves.toMatchObject({ digest: world.image.digest });
  });

  test('does not mind that somebody else starts the storage pool first', async () => {
    await using world = await World.create();
    world.host.script('storagePoolCreate', () => {
      world.host.storage.pool('warmvm').active = true;
      return undefined;
    });
    await expect(world.prepare()).resolves.toMatchObject({ digest: world.image.digest });
  });

  test('refuses a storage pool that is no directory', async () => {
    await using world = await World.create();
    world.host.storage.define('<pool><name>warmvm</name></pool>');
    Object.assign(world.host.storage.pool('warmvm'), { built: true, active: true, path: '' });
    await expect(world.prepare()).rejects.toMatchObject({ details: { storagePool: 'warmvm' } });
  });
});
