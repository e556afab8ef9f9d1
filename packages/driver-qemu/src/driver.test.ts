import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isWarmvmError, type MachineState, type PrepareProgress } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { owner, World } from './fixtures/world.ts';

describe('prepare', () => {
  test('boots a template, has it renew, and keeps what forks need of it', async () => {
    await using world = await World.create();
    const steps: PrepareProgress['step'][] = [];
    const driver = world.newDriver();
    const golden = await driver.prepare(world.image, { owner, onProgress: ({ step }) => steps.push(step) });
    expect(golden).toMatchObject({ digest: world.image.digest, image: world.image });
    expect(steps).toEqual(['boot', 'agent', 'warm-up', 'quiesce', 'snapshot']);
    expect(world.newest.isTemplate).toBe(true);
    expect(world.running).toEqual([]);
    expect(await driver.list(owner)).toMatchObject([{ kind: 'golden', digest: world.image.digest, state: 'stopped' }]);
  });

  test('finds what another driver has made, and boots nothing', async () => {
    await using world = await World.create();
    const first = await world.prepared();
    await first.driver[Symbol.asyncDispose]();
    const steps: PrepareProgress['step'][] = [];
    await world.newDriver().prepare(world.image, { owner, onProgress: ({ step }) => steps.push(step) });
    expect(steps).toEqual(['reuse']);
    expect(world.started).toHaveLength(1);
  });

  test('makes anew what was written to', async () => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared();
    const [name] = (await readdir(join(world.stateDirectory, 'goldens'))).filter((entry) => !entry.includes('.'));
    await writeFile(join(world.stateDirectory, 'goldens', name!, 'memory'), 'x', { flag: 'r+' });
    await expect(driver.fork(golden, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    const again = await driver.prepare(world.image, { owner });
    expect(world.started.filter(({ isTemplate }) => isTemplate)).toHaveLength(2);
    await driver.fork(again, { owner });
  });

  test('takes its golden snapshot along when it is not to be kept', async () => {
    await using world = await World.create();
    const { driver } = await world.prepared({ keepGoldens: false });
    expect(await readdir(join(world.stateDirectory, 'goldens'))).toHaveLength(1);
    await driver[Symbol.asyncDispose]();
    expect(await readdir(join(world.stateDirectory, 'goldens'))).toEqual([]);
  });

  test.each<[string, World['misbehaviour']]>([
    ['cannot be renewed', { guest: (agent) => agent.programs.delete('/sbin/renew') }],
    ['cannot be quiesced', { guest: (agent) => agent.programs.delete('sync') }],
    ['dies on the way', { diesAt: 'stop' }],
    [
      'has a clock that runs away',
      {
        guest: (agent) => {
          const origin = performance.now();
          Object.defineProperty(agent, 'timeMs', {
            get: () => Date.now() + (performance.now() - origin) * 25,
            set: () => {},
          });
        },
      },
    ],
  ])('refuses an image whose guest %s, and leaves nothing', async (_, misbehaviour) => {
    await using world = await World.create();
    world.misbehaviour = misbehaviour;
    const driver = world.newDriver();
    await expect(driver.prepare(world.image, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_INVALID' });
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  test('refuses an image without a renewal program before it starts anything', async () => {
    await using world = await World.create();
    const { renewal: _renewal, ...image } = world.image;
    await expect(world.newDriver().prepare(image, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_INVALID' });
    expect(world.started).toEqual([]);
  });

  test('says with its first step what the host does not contain machines with, and so does ping', async () => {
    await using world = await World.create();
    const told: PrepareProgress[] = [];
    const driver = world.newDriver(process.getuid?.() === 0 ? { user: 'root' } : {});
    await driver.prepare(world.image, { owner, onProgress: (progress) => told.push(progress) });
    const { containment = [] } = await driver.ping();
    const lacking = containment.filter(({ active }) => !active);
    expect(containment.map(({ name }) => name)).toContain('system calls');
    expect(told[0]?.notices ?? []).toHaveLength(lacking.length);
    for (const { detail, remedy } of lacking) {
      expect(told[0]?.notices?.join('\n')).toContain(`${detail}; to mend it: ${remedy}`);
    }
    expect(told.slice(1).flatMap(({ notices = [] }) => notices)).toEqual([]);
  });

  test('asks once for all callers, each of whom leaves by its own signal', async () => {
    await using world = await World.create();
    const driver = world.newDriver();
    const controller = new AbortController();
    const first = driver.ping({ signal: controller.signal });
    const second = driver.ping();
    controller.abort('enough');
    await expect(first).rejects.toBe('enough');
    expect((await second).hypervisor).toContain('7.2.22');
  });

  test('says what is missing where there is no QEMU', async () => {
    await using world = await World.create();
    const driver = world.newDriver({ binary: '/nonexistent/qemu' });
    await expect(driver.ping()).rejects.toMatchObject({ code: 'WARMVM_HOST_UNREACHABLE' });
  });
});

describe('fork', () => {
  test('starts a process of its own that maps the template privately, and renews its guest', async () => {
    await using world = await World.create();
    const { machine, qemu, driver } = await world.forked();
    expect(machine.generation).toBe(1);
    expect(qemu.isTemplate).toBe(false);
    expect(qemu.words.join(' ')).toContain('"share":false');
    expect(qemu.monitor.commands.map(({ execute }) => execute)).toEqual([
      'qmp_capabilities',
      'migrate-set-capabilities',
      'migrate-set-parameters',
      'migrate-incoming',
      'cont',
    ]);
    expect(await machine.state()).toBe('running');
    const records = await driver.list(owner);
    expect(records.find(({ id }) => id === machine.id)).toMatchObject({ generation: 1, state: 'running', owner });
  });

  test.each<[string, World['misbehaviour']]>([
    ['refuses the state', { migration: 'failed' }],
    ['refuses a command', { refuses: ['migrate-incoming'] }],
    ['dies at its start', { diesAt: 'qmp_capabilities' }],
    ['dies before it runs', { diesAt: 'cont' }],
    ['has a guest of another generation', { generation: 'another' }],
    ['has a guest that does not renew', { guest: (agent) => agent.programs.delete('/sbin/renew') }],
  ])('leaves nothing of a QEMU that %s', async (_, misbehaviour) => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared();
    const before = await world.files();
    world.misbehaviour = misbehaviour;
    await expect(driver.fork(golden, { owner })).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      cause: expect.anything(),
    });
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual(before);
  });

  test('gives what QEMU said last as the cause', async () => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared();
    world.misbehaviour = { diesAt: 'cont' };
    const error = await driver.fork(golden, { owner }).catch((reason: unknown) => reason);
    expect(isWarmvmError(error) && isWarmvmError(error.cause) && error.cause.message).toContain('it cannot be');
  });
});

describe('reset', () => {
  test('puts another process in the place of the old one', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked();
    const old = machine.guest;
    await machine.reset();
    expect(machine.generation).toBe(2);
    expect(qemu.running).toBe(false);
    expect(world.running).toEqual([world.newest]);
    expect(await machine.state()).toBe('running');
    await expect(old.ping()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await machine.guest.ping();
    const bodies = (await world.files()).filter((name) => /body-\d+$/.test(name));
    expect(bodies).toEqual([`machines/${machine.id}/body-2`]);
  });

  test('that failed can be mended by another', async () => {
    await using world = await World.create();
    const { machine } = await world.forked();
    world.misbehaviour = { migration: 'failed' };
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_RESET_FAILED' });
    expect(await machine.state()).toBe('stopped');
    world.misbehaviour = {};
    await machine.reset();
    expect(machine.generation).toBe(3);
    expect(await machine.state()).toBe('running');
  });
});

describe('a machine', () => {
  test.each<[string, (world: World) => void, MachineState]>([
    ['crashed when QEMU is killed', (world) => world.newest.end(null, 'SIGSEGV'), 'crashed'],
    ['stopping when the guest shuts down', (world) => world.newest.report('SHUTDOWN', 'shutdown'), 'stopping'],
    ['crashed when the guest panics', (world) => world.newest.report('GUEST_PANICKED', 'guest-panicked'), 'crashed'],
    ['paused when somebody stops it', (world) => world.newest.report('STOP', 'paused'), 'paused'],
  ])('is %s, and its watchers are told', async (_, happen, expected) => {
    await using world = await World.create();
    const { machine } = await world.forked();
    const watch = machine.watch()[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ state: 'running', generation: 1 });
    happen(world);
    expect((await watch.next()).value).toMatchObject({ state: expected, generation: 1 });
    expect(await machine.state()).toBe(expected);
  });

  test('is stopped when the guest has shut down', async () => {
    await using world = await World.create();
    const { machine } = await world.forked();
    world.newest.monitor.send({ event: 'SHUTDOWN', data: { reason: 'guest-shutdown' } });
    world.newest.end(0, null);
    await expect.poll(() => machine.state()).toBe('stopped');
  });

  test('is gone with its dispose, and so are its files', async () => {
    await using world = await World.create();
    const { machine, driver, golden } = await world.forked();
    const other = await driver.fork(golden, { owner });
    await machine[Symbol.asyncDispose]();
    expect(world.running).toEqual([world.newest]);
    expect((await world.files()).join()).not.toContain(machine.id);
    await expect(machine.guest.ping()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await other.state()).toBe('running');
  });
});

describe('processes that wait', () => {
  const waiting = (world: World): number =>
    world.running.filter(({ monitor }) => !monitor.commands.some(({ execute }) => execute === 'cont')).length;

  test('become machines at once, and are replaced behind them', async () => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared({ standby: 2 });
    await expect.poll(() => waiting(world)).toBe(2);
    await expect.poll(async () => (await driver.list(owner)).length).toBe(1);
    const ahead = [...world.running];
    const machine = await driver.fork(golden, { owner });
    expect(ahead).toContain(world.running.find(({ monitor }) => monitor.commands.at(-1)?.execute === 'cont'));
    await expect.poll(() => waiting(world)).toBe(2);
    await machine.reset();
    expect(await machine.state()).toBe('running');
    expect((await driver.list(owner)).filter(({ kind }) => kind === 'machine')).toHaveLength(1);
    await driver[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  test('are replaced when they die', async () => {
    await using world = await World.create();
    await world.prepared({ standby: 1 });
    await expect.poll(() => waiting(world)).toBe(1);
    const [first] = world.running;
    first!.end(null, 'SIGKILL');
    await expect.poll(() => world.running.length === 1 && world.running[0] !== first).toBe(true);
  });
});

describe('the state folder', () => {
  test('takes all machines along when it goes', async () => {
    await using world = await World.create();
    const { machine, driver } = await world.forked();
    const watch = machine.watch()[Symbol.asyncIterator]();
    await watch.next();
    await rename(world.stateDirectory, `${world.stateDirectory}-away`);
    await expect(watch.next()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await expect.poll(() => world.running).toEqual([]);
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await expect(driver.list(owner)).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await machine[Symbol.asyncDispose]();
    await rename(`${world.stateDirectory}-away`, world.stateDirectory);
    expect(await driver.list(owner)).toHaveLength(2);
  });
});

describe('remove', () => {
  test('takes the record of a golden snapshot, and nobody forks from it any more', async () => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared();
    const other = world.newDriver();
    const [record] = await other.list(owner);
    await expect(other.adopt(record!, { owner })).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
    await other.remove(record!);
    await expect(driver.fork(golden, { owner })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
  });

  test('adopts nothing that does not run', async () => {
    await using world = await World.create();
    const { driver, machine } = await world.forked();
    const record = (await driver.list(owner)).find(({ id }) => id === machine.id)!;
    const heir = world.newDriver();
    await expect(heir.adopt(record, { owner: { ...owner, instance: 'heir' } })).rejects.toMatchObject({
      code: 'WARMVM_MACHINE_GONE',
    });
    expect((await driver.list(owner)).find(({ id }) => id === machine.id)?.owner).toEqual(owner);
  });
});
