import { getEventListeners } from 'node:events';
import type { Driver } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createRig, otherOwner, owner, type Rig, rejection } from './fixtures/rig.ts';
import { createFakeDriver, fakeImage } from './index.ts';

const nothing = { marks: 0, goldens: 0, machines: 0, total: 0 };

/** Every call that a driver and a machine have. */
async function everyCall(rig: Rig, signal?: AbortSignal): Promise<(() => Promise<unknown>)[]> {
  const options = signal === undefined ? {} : { signal };
  const machine = await rig.fork();
  const golden = { digest: fakeImage().digest, host: rig.host.name, image: fakeImage() };
  const record = (await rig.records()).find(({ id }) => id === machine.id)!;
  const driver: Driver = rig.driver;
  return [
    () => driver.prepare(fakeImage(), { owner, ...options }),
    () => driver.fork(golden, { owner, ...options }),
    () => driver.list(owner, options),
    () => driver.adopt(record, { owner, ...options }),
    () => driver.remove(record, options),
    () => driver.ping(options),
    () => machine.state(options),
    () => machine.reset(options),
    () => machine.watch(options)[Symbol.asyncIterator]().next(),
    () => machine.guest.ping(options),
    () => machine.guest.exec(['true'], options),
    () => machine.guest.readFile('/a', options),
    () => machine.guest.writeFile('/a', '', options),
    () => machine.guest.timeMs(options),
  ];
}

describe('every call', () => {
  test('rejects with the reason of a signal that is aborted, and leaves no listener on it', async () => {
    const rig = createRig();
    const controller = new AbortController();
    const calls = await everyCall(rig, controller.signal);
    const before = rig.host.objects();
    controller.abort('reason');
    for (const call of calls) expect(await rejection(call())).toBe('reason');
    expect(rig.host.objects()).toEqual(before);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('leaves no listener on the signal when it is over', async () => {
    const rig = createRig();
    const { signal } = new AbortController();
    const calls = (await everyCall(rig, signal)).filter((_, index) => index !== 8);
    for (const call of calls) await rig.run(Promise.allSettled([call()]));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('rejects with HOST_LOST while the host is lost', async () => {
    const rig = createRig();
    const calls = await everyCall(rig);
    rig.host.lose();
    for (const call of calls) {
      expect(await rejection(call())).toMatchObject({
        code: 'WARMVM_HOST_LOST',
        retryable: true,
        details: { host: rig.host.name },
        cause: expect.any(Error),
      });
    }
  });

  test('that is under way rejects with HOST_LOST at the moment of the loss', async () => {
    for (const index of [1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13]) {
      const rig = createRig();
      const calls = await everyCall(rig);
      const pending = rejection(calls[index]!());
      await rig.clock.advance(0.5);
      rig.host.lose();
      expect(await pending).toMatchObject({ code: 'WARMVM_HOST_LOST' });
      expect(rig.clock.pendingTimers).toBe(0);
    }
  });

  test('of a driver that is disposed rejects with HOST_LOST, and of its machines with MACHINE_GONE', async () => {
    const rig = createRig();
    const calls = await everyCall(rig);
    await rig.run(rig.driver[Symbol.asyncDispose]());
    const codes = await Promise.all(
      calls.filter((_, index) => index !== 8).map(async (call) => (await rejection(call())) as { code: string }),
    );
    expect(codes.map(({ code }) => code)).toEqual([
      ...Array(6).fill('WARMVM_HOST_LOST'),
      ...Array(7).fill('WARMVM_MACHINE_GONE'),
    ]);
  });
});

describe('the loss of the host', () => {
  test('is HOST_UNREACHABLE for a driver that was never connected', async () => {
    const rig = createRig();
    rig.host.lose();
    expect(await rejection(rig.driver.ping())).toMatchObject({ code: 'WARMVM_HOST_UNREACHABLE', retryable: true });
    rig.host.restore();
    expect(await rig.run(rig.driver.ping())).toMatchObject({ host: 'fake-host', acceleration: 'none' });
  });

  test('is over when the host is back: machines live on and answer', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    await rig.run(machine.guest.writeFile('/a', 'kept'));
    rig.host.lose();
    rig.host.restore();
    expect(await rig.text(machine, 'cat', '/a')).toBe('kept');
    await rig.run(machine.reset());
    await rig.run(rig.driver[Symbol.asyncDispose]());
    expect(rig.host.objects()).toEqual(nothing);
  });

  test('ends machines where the manifest says that they do not survive it', async () => {
    const rig = createRig({ capabilities: { survivesReconnect: false } });
    const machine = await rig.fork();
    rig.host.lose();
    expect(rig.host.objects()).toMatchObject({ machines: 0, goldens: 1 });
    rig.host.restore();
    expect(await rejection(machine.state())).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
  });

  test('while forking or preparing says what was left behind, with its mark', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const image = fakeImage({ digest: `sha256:${'1'.repeat(64)}` });
    const calls = [rig.driver.fork(golden, { owner }), rig.driver.prepare(image, { owner })];
    const errors = calls.map((call) => rejection(call));
    await rig.clock.advance(3);
    rig.host.lose();
    const left = (await Promise.all(errors)).map((error) => (error as { details: { leftBehind: string[] } }).details);
    rig.host.restore();
    const sweeper = createRig({ on: rig });
    const records = await sweeper.records();
    expect(records.filter(({ digest }) => digest === null).map(({ id }) => id)).toEqual(
      left.flatMap(({ leftBehind }) => leftBehind),
    );
    for (const record of records) await rig.run(sweeper.driver.remove(record));
    expect(rig.host.objects()).toEqual(nothing);
  });

  test('does not keep dispose of machine and driver from resolving', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    rig.host.lose();
    await rig.run(machine[Symbol.asyncDispose]());
    await rig.run(rig.driver[Symbol.asyncDispose]());
    expect(rig.host.objects()).toMatchObject({ machines: 1, goldens: 1 });
  });

  test('during dispose lets it resolve', async () => {
    const rig = createRig();
    await rig.fork();
    const disposing = rig.driver[Symbol.asyncDispose]();
    await rig.clock.advance(1);
    rig.host.lose();
    expect(await rig.run(disposing)).toBeUndefined();
  });
});

describe('dispose', () => {
  test('of the driver removes every machine and golden snapshot that it made, and nothing else', async () => {
    const rig = createRig();
    const other = createRig({ on: rig });
    const foreign = rig.host.plant();
    await rig.fork();
    await rig.fork(fakeImage({ digest: `sha256:${'1'.repeat(64)}` }));
    const golden = await rig.run(other.driver.prepare(fakeImage({ digest: `sha256:${'2'.repeat(64)}` }), { owner }));
    const kept = await rig.run(other.driver.fork(golden, { owner: otherOwner }));
    await rig.run(rig.driver[Symbol.asyncDispose]());
    expect(rig.host.machines().map(({ id }) => id)).toEqual([foreign, kept.id]);
    expect(rig.host.objects()).toMatchObject({ goldens: 1, marks: 2 });
  });

  test('of the driver gives up what is under way and leaves nothing of it', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const image = fakeImage({ digest: `sha256:${'1'.repeat(64)}` });
    const calls = [rig.driver.fork(golden, { owner }), rig.driver.prepare(image, { owner })];
    const errors = calls.map((call) => rejection(call));
    await rig.clock.advance(2);
    await rig.run(rig.driver[Symbol.asyncDispose]());
    for (const error of await Promise.all(errors)) {
      expect(error).toMatchObject({ code: 'WARMVM_HOST_LOST', retryable: false, details: { disposed: true } });
    }
    expect(rig.host.objects()).toEqual(nothing);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('takes the scripted time and is idempotent', async () => {
    const rig = createRig({ latency: { destroyMs: 11 } });
    const machine = await rig.fork();
    const startedMs = rig.clock.now();
    const twice = [machine[Symbol.asyncDispose](), machine[Symbol.asyncDispose]()];
    await rig.run(Promise.all(twice));
    await machine[Symbol.asyncDispose]();
    expect(rig.clock.now() - startedMs).toBe(11);
    const calls = rig.host.journal().filter((entry) => entry.kind === 'call-begun' && entry.operation === 'destroy');
    expect(calls).toHaveLength(1);
    await rig.run(rig.driver[Symbol.asyncDispose]());
    await rig.driver[Symbol.asyncDispose]();
    expect(rig.host.objects()).toEqual(nothing);
  });

  test.each(['stop', 'unmark'] as const)('of a machine that fails at %s can be tried again', async (stage) => {
    const rig = createRig({
      faults: ({ operation, attempt }) =>
        operation === 'destroy' && attempt === 1 ? { stage, reject: new Error('busy') } : undefined,
    });
    const machine = await rig.fork();
    expect(await rejection(rig.run(machine[Symbol.asyncDispose]()))).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      cause: new Error('busy'),
    });
    expect(rig.host.objects().marks).toBe(2);
    await rig.run(machine[Symbol.asyncDispose]());
    expect(rig.host.objects()).toMatchObject({ marks: 1, machines: 0 });
  });

  test('of a driver that fails says what it left behind, and can be tried again', async () => {
    let failing = true;
    const rig = createRig({
      faults: ({ operation }) =>
        operation === 'destroy' && failing ? { throwSynchronously: new Error('busy') } : undefined,
    });
    const machine = await rig.fork();
    expect(await rejection(rig.run(rig.driver[Symbol.asyncDispose]()))).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      details: { leftBehind: [machine.id, expect.stringContaining('golden')] },
      cause: expect.any(AggregateError),
    });
    failing = false;
    await rig.run(rig.driver[Symbol.asyncDispose]());
    expect(rig.host.objects()).toEqual(nothing);
  });
});

test('the manifest is fixed, and the driver works on the system clock', async () => {
  await using driver = createFakeDriver({ latency: { prepareMs: 1, forkMs: 1, destroyMs: 0 } });
  expect(driver.specificationVersion).toBe(1);
  expect(driver.name).toBe('fake');
  expect(Object.isFrozen(driver.capabilities)).toBe(true);
  const machine = await driver.fork(await driver.prepare(fakeImage(), { owner }), { owner });
  expect(await machine.state()).toBe('running');
});
