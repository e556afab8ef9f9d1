import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Machine } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { hurriedClock } from './fixtures/hurried-clock.ts';
import { owner, World } from './fixtures/world.ts';
import { StateFolder } from './home/state-folder.ts';

/** What dispose rejects with; undefined when it resolves. */
const disposed = async (machine: Machine): Promise<unknown> =>
  machine[Symbol.asyncDispose]().then(
    () => undefined,
    (error: unknown) => error,
  );

describe('dispose of a machine whose QEMU does not end', () => {
  test('says so, and a retry reaches the process', async () => {
    await using world = await World.create();
    const { machine, qemu, driver } = await world.forked();
    qemu.mayBeKilled = false;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await disposed(machine)).toMatchObject({
        code: 'WARMVM_HOST_OPERATION',
        details: { machine: machine.id, leftBehind: [machine.id] },
        cause: { code: expect.stringMatching(/^WARMVM_HOST_/) },
      });
    }
    expect((await driver.list(owner)).map(({ id }) => id)).toContain(machine.id);
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    qemu.mayBeKilled = true;
    expect(await disposed(machine)).toBeUndefined();
    expect(world.running).toEqual([]);
    expect((await world.files()).join()).not.toContain(machine.id);
  });

  test('is tried again by dispose of the driver', async () => {
    await using world = await World.create();
    const { machine, qemu, driver } = await world.forked();
    qemu.mayBeKilled = false;
    await disposed(machine);
    qemu.mayBeKilled = true;
    await driver[Symbol.asyncDispose]();
    expect(await world.files()).toEqual([]);
    expect(world.running).toEqual([]);
  });
});

describe('dispose of a driver', () => {
  test('does all that it can, says what it could not, and may be repeated', async () => {
    await using world = await World.create();
    const { machine, qemu, driver, golden } = await world.forked({ standby: 1 });
    const other = await driver.fork(golden, { owner });
    await expect.poll(() => world.running.length).toBe(3);
    qemu.mayBeKilled = false;
    await expect(driver[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      details: { leftBehind: [machine.id] },
    });
    expect(world.running).toEqual([qemu]);
    expect((await world.files()).join()).not.toContain(other.id);
    await expect(driver.list(owner)).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    qemu.mayBeKilled = true;
    await driver[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  test('ends a process that waited and did not end when it was to', async () => {
    await using world = await World.create();
    const { driver } = await world.prepared({ standby: 1 });
    await expect.poll(() => world.running.length).toBe(1);
    const waiting = world.newest;
    waiting.mayBeKilled = false;
    await expect(driver[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    waiting.mayBeKilled = true;
    await driver[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });
});

describe('a call that fails', () => {
  test('names what a fork could not take back, and dispose of the driver does', async () => {
    await using world = await World.create();
    const { driver, golden } = await world.prepared();
    world.misbehaviour = { migration: 'failed', mayBeKilled: false };
    const error: unknown = await driver.fork(golden, { owner }).catch((reason: unknown) => reason);
    const [record] = (await driver.list(owner)).filter(({ kind }) => kind === 'machine');
    expect(error).toMatchObject({ code: 'WARMVM_FORK_FAILED', details: { leftBehind: [record?.id] } });
    world.newest.mayBeKilled = true;
    await driver[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  test.each([
    ['its containment cannot be had', { cgroup: '/nonexistent-cgroup' }, undefined],
    ['it was aborted before', {}, AbortSignal.abort(new Error('enough'))],
  ] as const)('leaves nothing of a preparation when %s', async (_, options, signal) => {
    await using world = await World.create();
    const driver = world.newDriver(options);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(
        driver.prepare(world.image, { owner, ...(signal === undefined ? {} : { signal }) }),
      ).rejects.toThrow();
    }
    expect(await driver.list(owner)).toEqual([]);
    expect(await world.files().catch(() => [])).toEqual([]);
  });

  test('keeps a process that a failed reset could not end, until dispose ends it', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked();
    qemu.mayBeKilled = false;
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_RESET_FAILED' });
    expect(world.running).toEqual([qemu]);
    qemu.mayBeKilled = true;
    await machine[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
  });
});

describe('files that somebody removes', () => {
  test('take no process out of the count: one without a mark is ended with its machine', async () => {
    await using world = await World.create();
    const { machine, driver, golden } = await world.forked();
    await rm(join(world.stateDirectory, 'marks', `${machine.id}.json`));
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(world.running).toHaveLength(1);
    await machine[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
    expect((await world.files()).join()).not.toContain(machine.id);
    expect(await (await driver.fork(golden, { owner })).state()).toBe('running');
  });

  test('end all machines when all are removed, and the next call makes new ones', async () => {
    await using world = await World.create();
    const { machine, driver } = await world.forked({ standby: 1 });
    await expect.poll(() => world.running.length).toBe(2);
    for (const name of await readdir(world.stateDirectory)) {
      await rm(join(world.stateDirectory, name), { recursive: true, force: true });
    }
    await expect(machine.state()).rejects.toMatchObject({
      code: 'WARMVM_HOST_LOST',
      message: expect.stringContaining('was removed'),
    });
    await expect.poll(() => world.running).toEqual([]);
    await machine[Symbol.asyncDispose]();
    const again = await driver.prepare(world.image, { owner });
    expect(await (await driver.fork(again, { owner })).state()).toBe('running');
    await driver[Symbol.asyncDispose]();
    expect(world.running).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  test('are another matter than a machine that has another owner: that is left alone', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked();
    const state = new StateFolder(world.stateDirectory);
    const mark = (await state.read(machine.id))!;
    await state.write({ ...mark, owner: { ...owner, instance: 'another' } });
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await machine[Symbol.asyncDispose]();
    expect(qemu.running).toBe(true);
    expect((await state.read(machine.id))?.owner.instance).toBe('another');
    qemu.end(null, 'SIGKILL');
  });
});

describe('the state of a machine', () => {
  test('is what QEMU answers, and watchers get it too, where no event came', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked();
    const watch = machine.watch()[Symbol.asyncIterator]();
    await watch.next();
    for (const [status, expected] of [
      ['paused', 'paused'],
      ['running', 'running'],
      ['io-error', 'paused'],
      ['guest-panicked', 'crashed'],
    ] as const) {
      qemu.status = status;
      expect(await machine.state()).toBe(expected);
      expect((await watch.next()).value).toMatchObject({ state: expected });
    }
  });

  test('is not made up while QEMU does not answer, and known again once it does', async () => {
    await using world = await World.create();
    let isImpatient = false;
    const clock: Clock = {
      ...hurriedClock,
      setTimer: (callback, delayMs, options) =>
        hurriedClock.setTimer(callback, isImpatient && delayMs === 5000 ? 0 : delayMs, options),
    };
    const { machine, qemu } = await world.forked({ clock });
    qemu.isMute = true;
    isImpatient = true;
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION', retryable: true });
    qemu.isMute = false;
    isImpatient = false;
    expect(await machine.state()).toBe('running');
  });

  test('is given up with the reason of a signal', async () => {
    await using world = await World.create();
    const { machine, qemu } = await world.forked();
    qemu.isMute = true;
    const controller = new AbortController();
    const asked = machine.state({ signal: controller.signal });
    await expect.poll(() => qemu.monitor.commands.at(-1)?.execute).toBe('query-status');
    controller.abort('enough');
    await expect(asked).rejects.toBe('enough');
  });
});
