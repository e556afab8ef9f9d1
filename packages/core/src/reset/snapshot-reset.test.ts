import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WarmvmError } from '../driver/error.ts';
import { createStubDriver, type StubDriver, type StubDriverOptions, stubImage } from '../testing/stub-driver.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { SnapshotReset } from './snapshot-reset.ts';
import type { SnapshotResetOptions } from './snapshot-reset-options.ts';

const owner = { pool: 'test', instance: 'a', process: { bootId: 'b', pid: 1, startTime: '1' } };

function setUp(
  changes: Partial<SnapshotResetOptions> = {},
  stub: StubDriverOptions = {},
): { readonly clock: VirtualClock; readonly driver: StubDriver; readonly reset: SnapshotReset } {
  const clock = new VirtualClock();
  const driver = createStubDriver({ ...stub, clock });
  return { clock, driver, reset: new SnapshotReset({ driver, image: stubImage, owner, clock, ...changes }) };
}

describe('SnapshotReset.prepare', () => {
  test('makes the golden snapshot once for all who ask', async () => {
    const { driver, reset } = setUp();
    const [first, second] = await Promise.all([reset.prepare(), reset.prepare()]);
    expect(second).toBe(first);
    expect(await reset.prepare()).toBe(first);
    expect(reset.golden).toBe(first);
    expect(driver.calls('prepare')).toHaveLength(1);
  });

  test('makes it anew after it was forgotten', async () => {
    const { driver, reset } = setUp();
    await reset.prepare();
    reset.forget();
    expect(reset.golden).toBeUndefined();
    await reset.prepare();
    expect(driver.calls('prepare')).toHaveLength(2);
  });

  test('passes WARMVM_GOLDEN_INVALID on as it is, and tries again when asked again', async () => {
    const { driver, reset } = setUp();
    const error = new WarmvmError('WARMVM_GOLDEN_INVALID', 'no kernel', { cause: new Error('panic') });
    driver.answer('prepare', (index) => (index === 0 ? { reject: error } : 'resolve'));
    await expect(reset.prepare()).rejects.toBe(error);
    expect((await reset.prepare()).digest).toBe(stubImage.digest);
  });

  test('lets an error that has a code of its own pass as it is', async () => {
    const { driver, reset } = setUp();
    const error = new WarmvmError('WARMVM_HOST_UNREACHABLE', 'nobody there', { retryable: true });
    driver.answer('prepare', { reject: error });
    await expect(reset.prepare()).rejects.toBe(error);
  });

  test('gives up after prepareTimeoutMs', async () => {
    const { clock, driver, reset } = setUp({ prepareTimeoutMs: 500 });
    driver.answer('prepare', 'manual');
    const rejected = expect(reset.prepare()).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      retryable: true,
      details: { timeoutMs: 500 },
    });
    await clock.advance(500);
    await rejected;
  });
});

describe('SnapshotReset.fork', () => {
  test('prepares first when nobody has', async () => {
    const { driver, reset } = setUp();
    const machine = await reset.fork();
    expect(machine.generation).toBe(1);
    expect(driver.calls().map((call) => call.kind)).toEqual(['prepare', 'fork']);
  });

  test('forgets a golden snapshot that the host no longer has', async () => {
    const { driver, reset } = setUp();
    driver.answer('fork', (index) =>
      index === 0 ? { reject: new WarmvmError('WARMVM_GOLDEN_MISSING', 'x') } : 'resolve',
    );
    await expect(reset.fork()).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    await reset.fork();
    expect(driver.calls('prepare')).toHaveLength(2);
  });

  test('destroys a machine that comes after the fork was given up', async () => {
    const { clock, driver, reset } = setUp({ forkTimeoutMs: 100 }, { honoursAbort: false });
    driver.answer('fork', 'manual');
    const rejected = expect(reset.fork()).rejects.toMatchObject({ code: 'WARMVM_FORK_FAILED', retryable: true });
    await clock.advance(100);
    await rejected;
    driver.pending('fork')[0]!.resolve();
    await clock.settle();
    expect(driver.forked.map((machine) => machine.disposals)).toEqual([1]);
  });

  test('hands a late machine to the one who asked for that instead', async () => {
    const { clock, driver, reset } = setUp({ forkTimeoutMs: 100 }, { honoursAbort: false });
    driver.answer('fork', 'manual');
    const outcomes: unknown[] = [];
    const forked = reset.fork({}, { late: (outcome) => outcomes.push(outcome) }).catch(() => 'given up');
    await clock.advance(100);
    expect(await forked).toBe('given up');
    driver.pending('fork')[0]!.resolve();
    await clock.settle();
    expect(outcomes).toEqual([{ value: driver.forked[0] }]);
    expect(driver.forked[0]!.disposals).toBe(0);
  });

  test('rejects with the reason of its signal and leaves no listener', async () => {
    const { clock, driver, reset } = setUp();
    await reset.prepare();
    driver.answer('fork', 'manual');
    const controller = new AbortController();
    const reason = new Error('left');
    const rejected = expect(reset.fork({ signal: controller.signal })).rejects.toBe(reason);
    await clock.settle();
    controller.abort(reason);
    await rejected;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

describe('SnapshotReset.verify', () => {
  test('pings the guest unless there is a probe', async () => {
    const { driver, reset } = setUp();
    await reset.verify(await reset.fork());
    expect(driver.calls('probe')).toHaveLength(1);
  });

  test('asks for the state where the driver has no guest agent', async () => {
    const { driver, reset } = setUp({}, { capabilities: { guestAgent: false } });
    const machine = await reset.fork();
    await reset.verify(machine);
    driver.forked[0]!.change('paused');
    await expect(reset.verify(machine)).rejects.toMatchObject({
      code: 'WARMVM_NOT_READY',
      details: { machineId: machine.id, state: 'paused' },
    });
    expect(driver.calls('probe')).toHaveLength(0);
  });

  test('gives the probe the guest, the generation and a signal that aborts when its time is over', async () => {
    const seen: { generation: number; signal: AbortSignal | undefined }[] = [];
    const { clock, reset } = setUp({
      probeTimeoutMs: 100,
      probe: (_guest, { generation, signal }) => {
        seen.push({ generation, signal });
        return new Promise(() => {});
      },
    });
    const machine = await reset.fork();
    const rejected = expect(reset.verify(machine)).rejects.toMatchObject({ code: 'WARMVM_NOT_READY', retryable: true });
    await clock.advance(100);
    await rejected;
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ generation: 1, signal: { aborted: true } });
  });

  test('wraps whatever the probe rejected with, except the loss of the host', async () => {
    const lost = new WarmvmError('WARMVM_HOST_LOST', 'x');
    const errors: unknown[] = [new WarmvmError('WARMVM_GUEST_EXEC_FAILED', 'x', { retryable: true }), 'text', lost];
    const { reset } = setUp({ probe: () => Promise.reject(errors[0]) });
    const machine = await reset.fork();
    await expect(reset.verify(machine)).rejects.toMatchObject({
      code: 'WARMVM_NOT_READY',
      retryable: true,
      cause: errors.shift(),
    });
    await expect(reset.verify(machine)).rejects.toMatchObject({ code: 'WARMVM_NOT_READY', cause: errors.shift() });
    await expect(reset.verify(machine)).rejects.toBe(lost);
  });
});

describe('SnapshotReset.reset', () => {
  test('resets, and probes the new generation', async () => {
    const generations: number[] = [];
    const { reset } = setUp({
      probe: async (_guest, { generation }) => {
        generations.push(generation);
      },
    });
    const machine = await reset.fork();
    await reset.reset(machine);
    expect(generations).toEqual([2]);
  });

  test('refuses a reset after which the generation is the same', async () => {
    const { reset } = setUp();
    const machine = await reset.fork();
    const lying = Object.create(machine, {
      reset: { value: async () => {} },
      generation: { value: 1 },
      id: { value: 'm' },
    });
    await expect(reset.reset(lying)).rejects.toMatchObject({
      code: 'WARMVM_RESET_FAILED',
      details: { machineId: 'm', generation: 1 },
    });
  });
});

describe('SnapshotReset.recycle', () => {
  test('gives back the same machine after a reset', async () => {
    const { reset } = setUp();
    const machine = await reset.fork();
    expect(await reset.recycle(machine)).toEqual({ how: 'reset', machine });
    expect(machine.generation).toBe(2);
  });

  test.each(['reset', 'probe'] as const)(
    'replaces the machine when the %s fails, the old one destroyed first',
    async (kind) => {
      const { driver, reset } = setUp();
      const machine = await reset.fork();
      driver.answer(kind, (index) => (index === 0 ? { reject: new Error('no') } : 'resolve'));
      const outcome = await reset.recycle(machine);
      expect(outcome).toMatchObject({ how: 'replaced', machine: { id: 'machine-2' } });
      expect(outcome).not.toHaveProperty('leftBehind');
      const kinds = driver.calls().map((call) => call.kind);
      expect(kinds.indexOf('dispose')).toBeLessThan(kinds.lastIndexOf('fork'));
    },
  );

  test('replaces the machine where the driver cannot reset', async () => {
    const { driver, reset } = setUp({}, { capabilities: { reset: 'none' } });
    const machine = await reset.fork();
    expect(await reset.recycle(machine)).toMatchObject({ how: 'replaced', cause: { code: 'WARMVM_NOT_SUPPORTED' } });
    expect(driver.calls('reset')).toHaveLength(0);
  });

  test('says what it left behind when the old machine cannot be destroyed', async () => {
    const { driver, reset } = setUp({}, { capabilities: { reset: 'none' } });
    const machine = await reset.fork();
    driver.answer('dispose', { reject: new Error('busy') });
    expect(await reset.recycle(machine)).toMatchObject({
      how: 'replaced',
      leftBehind: { code: 'WARMVM_HOST_OPERATION' },
    });
  });

  test('destroys a replacement that does not prove itself ready', async () => {
    const { driver, reset } = setUp({}, { capabilities: { reset: 'none' } });
    const machine = await reset.fork();
    driver.answer('probe', { reject: new Error('no') });
    await expect(reset.recycle(machine)).rejects.toMatchObject({ code: 'WARMVM_NOT_READY' });
    expect(driver.machines.size).toBe(0);
  });

  test('makes no replacement for one who has left', async () => {
    const { driver, reset } = setUp();
    const machine = await reset.fork();
    driver.answer('reset', 'manual');
    const controller = new AbortController();
    const reason = new Error('left');
    const rejected = expect(reset.recycle(machine, { signal: controller.signal })).rejects.toBe(reason);
    controller.abort(reason);
    await rejected;
    expect(driver.calls('fork')).toHaveLength(1);
    expect(driver.machines.size).toBe(0);
  });
});

describe('the options of SnapshotReset', () => {
  const driver = createStubDriver();
  test.each<[Record<string, unknown>, RegExp]>([
    [{ driver: null }, /^driver is null; expected a driver/],
    [{ driver: { ...driver, fork: 1 } }, /^driver\.fork is 1; expected a function/],
    [{ driver: { ...driver, specificationVersion: 2 } }, /^driver\.specificationVersion is 2; expected 1/],
    [{ image: undefined }, /^image is undefined; expected a golden image/],
    [{ image: { ...stubImage, digest: 'abc' } }, /^image\.digest is "?abc"?; expected sha256:/],
    [{ clock: {} }, /^clock\.now is undefined; expected a function/],
    [{ probe: 5 }, /^probe is 5; expected a function of the guest/],
    [{ resetTimeoutMs: 0 }, /^resetTimeoutMs is 0; expected milliseconds from 1/],
    [{ probeTimeoutMs: '1' }, /^probeTimeoutMs is "1"; expected a number/],
  ])('refuses %o', (changes, message) => {
    const make = (): unknown =>
      new SnapshotReset({ driver, image: stubImage, owner, ...changes } as SnapshotResetOptions);
    expect(make).toThrow(message);
  });
});
