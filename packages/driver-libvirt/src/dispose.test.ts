import { ErrorNumber } from '@warmvm/libvirt';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AgentLink } from './agent-link.ts';
import { owner, World } from './fixtures/world.ts';
import { Guardian } from './guardian.ts';

describe('dispose of the driver', () => {
  test('leaves nothing on the host, the storage pool and connections included', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    await Promise.all([world.driver.fork(golden, { owner }), world.driver.fork(golden, { owner })]);
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
    expect(world.host.storage.pools.size).toBe(0);
    await world.clock.virtual.settle();
    expect(world.host.openConnections).toBe(0);
  });

  test('is done once', async () => {
    await using world = await World.create();
    await world.prepare();
    await Promise.all([world.driver[Symbol.asyncDispose](), world.driver[Symbol.asyncDispose]()]);
    expect(world.host.calls.filter((name) => name === 'storagePoolUndefine')).toHaveLength(1);
  });

  test('connects to nothing when nothing was done', async () => {
    await using world = await World.create();
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.dials).toBe(0);
  });

  test('ends what is under way, and leaves nothing of it', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    let disposing: PromiseLike<void> | undefined;
    world.host.script('domainRevertToSnapshot', () => {
      disposing ??= world.driver[Symbol.asyncDispose]();
      return undefined;
    });
    const image = { ...world.image, digest: `sha256:${'b'.repeat(64)}` };
    const preparing = expect(world.prepare(image)).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_HOST_LOST',
      details: { disposed: true },
    });
    await preparing;
    await disposing;
    expect(world.host.inventory).toEqual([]);
  });

  test('waits for what the daemon is still making', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    const cloned = Promise.withResolvers<void>();
    world.host.hold('storageVolCreateXmlFrom', cloned.promise);
    const forking = expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn += 1) await world.clock.virtual.settle();
    };
    await settle();
    const disposing = world.driver[Symbol.asyncDispose]();
    await settle();
    cloned.resolve();
    await Promise.all([forking, disposing]);
    expect(world.host.inventory).toEqual([]);
  });

  test('fails every later call', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    await world.driver[Symbol.asyncDispose]();
    const gone = { code: 'WARMVM_HOST_LOST', details: { disposed: true } };
    await expect(world.prepare()).rejects.toMatchObject(gone);
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject(gone);
    await expect(world.driver.list(owner)).rejects.toMatchObject(gone);
    await expect(world.driver.ping()).rejects.toMatchObject(gone);
    await expect(world.driver.remove({} as never)).rejects.toMatchObject(gone);
    await expect(world.driver.adopt({} as never, { owner })).rejects.toMatchObject(gone);
  });

  test('leaves a storage pool that was there before, and one that others still use', async () => {
    await using world = await World.create();
    world.host.storage.define('<pool><name>theirs</name><path>/theirs</path></pool>');
    Object.assign(world.host.storage.pool('theirs'), { built: true, active: true });
    const other = world.newDriver({ storagePool: 'theirs' });
    await other.prepare(world.image, { owner });
    await other[Symbol.asyncDispose]();
    expect(world.host.storage.pools.has('theirs')).toBe(true);

    const [first, second] = [world.newDriver(), world.newDriver()];
    await first.prepare(world.image, { owner });
    await second.prepare(world.image, { owner });
    await first[Symbol.asyncDispose]();
    expect(world.host.storage.pools.has('warmvm')).toBe(true);
    await second[Symbol.asyncDispose]();
    expect(world.host.storage.pools.has('warmvm')).toBe(false);
  });

  test.each([
    ['is still there', {}],
    ['was stopped', { active: false }],
    ['was stopped, and its folder is gone', { active: false, built: false, volumes: new Map() }],
    ['runs, and its folder is gone', { built: false, volumes: new Map() }],
  ])('takes away a storage pool that %s', async (_what, state) => {
    await using world = await World.create();
    await world.driver.fork(await world.prepare(), { owner });
    Object.assign(world.host.storage.pool('warmvm'), state);
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
    expect(world.host.storage.pools.size).toBe(0);
  });

  test('leaves the definition of a storage pool of others whose folder is gone, and is done', async () => {
    await using world = await World.create();
    world.host.storage.define('<pool><name>theirs</name><path>/theirs</path></pool>');
    Object.assign(world.host.storage.pool('theirs'), { built: true, active: true });
    const other = world.newDriver({ storagePool: 'theirs' });
    await other.prepare(world.image, { owner });
    Object.assign(world.host.storage.pool('theirs'), { built: false, active: false, volumes: new Map() });
    await other[Symbol.asyncDispose]();
    expect(world.host.domains.size).toBe(0);
    expect([...world.host.storage.pools.keys()]).toEqual(['theirs']);
  });

  test('says what could not be removed', async () => {
    await using world = await World.create();
    await world.driver.fork(await world.prepare(), { owner });
    world.host.script('domainUndefineFlags', () => ({ code: ErrorNumber.INTERNAL_ERROR }));
    await expect(world.driver[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: { code: 'WARMVM_HOST_OPERATION' },
      details: { failures: [expect.stringContaining('undefine'), expect.stringContaining('undefine')] },
    });
    await world.clock.virtual.settle();
    expect(world.host.openConnections).toBe(0);
  });
});

describe('a dispose that fails', () => {
  const REFUSED = { code: ErrorNumber.OPERATION_FAILED, message: 'Device or resource busy' };

  test.each(['domainDestroy', 'storageVolDelete', 'domainUndefineFlags', 'domainGetXmlDesc'] as const)(
    'of a machine, at %s, may be repeated and then reaches the host',
    async (procedure) => {
      await using world = await World.create();
      const machine = await world.driver.fork(await world.prepare(), { owner });
      world.host.fault(procedure, REFUSED);
      const first = await Promise.allSettled([machine[Symbol.asyncDispose](), machine[Symbol.asyncDispose]()]);
      expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
      await machine[Symbol.asyncDispose]();
      expect(world.host.domains.has(machine.id)).toBe(false);
      const calls = world.host.calls.length;
      await machine[Symbol.asyncDispose]();
      expect(world.host.calls).toHaveLength(calls);
    },
  );

  test('of a machine leaves it to the driver', async () => {
    await using world = await World.create();
    const machine = await world.driver.fork(await world.prepare(), { owner });
    world.host.fault('domainDestroy', REFUSED);
    await expect(machine[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
  });

  test('of a channel does not keep the machine', async () => {
    await using world = await World.create();
    const machine = await world.driver.fork(await world.prepare(), { owner });
    const close = vi.spyOn(AgentLink.prototype, Symbol.asyncDispose).mockRejectedValue(new Error('it hangs'));
    await machine[Symbol.asyncDispose]();
    close.mockRestore();
    expect(world.host.domains.has(machine.id)).toBe(false);
  });

  test('of a fork that failed is made up for by the driver', async () => {
    await using world = await World.create();
    const golden = await world.prepare();
    world.host.fault('domainRevertToSnapshot', REFUSED);
    world.host.fault('storageVolDelete', REFUSED);
    await expect(world.driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      details: { leftBehind: [expect.any(String), expect.any(String)] },
    });
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
  });

  test('of a prepare that failed is made up for by the driver', async () => {
    await using world = await World.create();
    world.host.fault('domainSnapshotCreateXml', REFUSED);
    world.host.fault('domainUndefineFlags', REFUSED);
    await expect(world.prepare()).rejects.toMatchObject({ details: { leftBehind: expect.anything() } });
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
  });

  test('of the driver may be repeated and then reaches the host; the driver says what is left and what to do', async () => {
    await using world = await World.create();
    const machine = await world.driver.fork(await world.prepare(), { owner });
    world.host.script('domainDestroy', () => REFUSED);
    await expect(world.driver[Symbol.asyncDispose]()).rejects.toMatchObject({
      message: expect.stringMatching(/could not remove warmvm-unit-.*warmvm sweep/),
      retryable: true,
      details: { leftBehind: expect.arrayContaining([machine.id]) },
    });
    await expect(world.prepare()).rejects.toMatchObject({ details: { disposed: true } });
    world.host.script('domainDestroy');
    await world.driver[Symbol.asyncDispose]();
    expect(world.host.inventory).toEqual([]);
    expect(world.host.storage.pools.size).toBe(0);
  });
});

describe('the guardian of a driver', () => {
  const guarded = async (): Promise<{ world: World; ends: string[] }> => {
    vi.spyOn(Guardian.prototype, 'watchOver').mockResolvedValue();
    const ends: string[] = [];
    vi.spyOn(Guardian.prototype, 'dismiss').mockImplementation(async () => void ends.push('dismissed'));
    vi.spyOn(Guardian.prototype, 'release').mockImplementation(() => void ends.push('released'));
    const guardian = { module: new URL('file:///never'), way: {}, giveUpMs: 60_000, isOptional: false };
    return { world: await World.create({ guardian, reconnectMs: 0 }), ends };
  };
  afterEach(() => void vi.restoreAllMocks());

  test('goes with a driver that removed everything', async () => {
    const { world, ends } = await guarded();
    await using _ = world;
    const machine = await world.driver.fork(await world.prepare(), { owner });
    await machine[Symbol.asyncDispose]();
    await world.driver[Symbol.asyncDispose]();
    expect(ends).toEqual(['dismissed']);
  });

  test.each([
    ['machine', 'the host is lost before the machine is disposed'],
    ['driver', 'the host is lost before the driver is disposed'],
    ['remove', 'the host refuses to remove something'],
  ] as const)('is left to its work where (%s) %s', async (when, _what) => {
    const { world, ends } = await guarded();
    await using _ = world;
    const machine = await world.driver.fork(await world.prepare(), { owner });
    if (when === 'remove') {
      world.host.script('domainUndefineFlags', () => ({ code: ErrorNumber.INTERNAL_ERROR }));
      await expect(world.driver[Symbol.asyncDispose]()).rejects.toMatchObject({
        message: expect.stringContaining('guardian process tries again for 60 s'),
      });
    } else {
      world.host.unreachable = true;
      world.host.die();
      if (when === 'machine') await machine[Symbol.asyncDispose]();
      await world.driver[Symbol.asyncDispose]();
    }
    expect(ends).toEqual(['released']);
  });
});

describe('ping', () => {
  test('tells what the host is', async () => {
    await using world = await World.create();
    expect(await world.driver.ping()).toEqual({
      host: 'memory-host',
      hypervisor: 'QEMU 7.2.22, libvirt 9.0.0',
      acceleration: 'tcg',
      accelerationReason: 'libvirt offers no KVM on this host',
      memoryBytes: 8 * 2 ** 30,
      virtualCpus: 4,
    });
  });

  test('looks anew each time', async () => {
    await using world = await World.create();
    await world.driver.ping();
    world.host.capabilities =
      "<capabilities><guest><arch name='x86_64'><domain type='kvm'/></arch></guest></capabilities>";
    expect((await world.driver.ping()).acceleration).toBe('kvm');
  });

  test.each([
    [() => ({ cpu: "<cpu><feature name='svm'/></cpu>" }), 'kvm'],
    [() => ({ cpu: "<cpu><feature name='avx'/></cpu>" }), 'tcg'],
    [() => undefined, 'kvm'],
  ])('asks what the CPU of a far host can do before it takes KVM there (%s)', async (baseline, acceleration) => {
    await using world = await World.create();
    const cpu = '<host><cpu><arch>x86_64</arch><model>EPYC</model></cpu></host>';
    world.host.capabilities = `<capabilities>${cpu}<guest><arch name='x86_64'><domain type='kvm'/></arch></guest></capabilities>`;
    world.host.baselineCpu = baseline;
    expect((await world.driver.ping()).acceleration).toBe(acceleration);
  });

  test('is refused by a host that refuses', async () => {
    await using world = await World.create();
    world.host.script('connectOpen', () => ({ code: ErrorNumber.AUTH_FAILED }));
    await expect(world.driver.ping()).rejects.toMatchObject({ code: 'WARMVM_HOST_DENIED' });
  });
});
