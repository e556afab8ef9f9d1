import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { createRig, rejection } from './fixtures/rig.ts';
import { createFakeDriver, createFakeHost, seededRandom } from './index.ts';

describe('createFakeDriver', () => {
  test.each([
    [{ latencies: {} }, TypeError, 'latencies'],
    [{ latency: { fork: 1 } }, TypeError, 'fork'],
    [{ latency: { forkMs: -1 } }, RangeError, 'latency.forkMs'],
    [{ latency: { forkMs: '1' } }, TypeError, 'latency.forkMs'],
    [{ latency: { forkMs: { minMs: 2, maxMs: 1 } } }, RangeError, 'minMs'],
    [{ latency: { forkMs: { minMs: 2 } } }, TypeError, 'maxMs'],
    [{ capabilities: { reset: 'all' } }, RangeError, 'options.capabilities.reset'],
    [{ capabilities: { stateEvents: 1 } }, TypeError, 'capabilities.stateEvents'],
    [{ capabilities: { concurrentForks: 0 } }, RangeError, 'capabilities.concurrentForks'],
    [{ capabilities: { gpu: true } }, TypeError, 'gpu'],
    [{ faults: {} }, TypeError, 'faults'],
    [{ random: 1 }, TypeError, 'random'],
    [{ host: {} }, TypeError, 'host'],
    [{ host: createFakeHost(), clock: {} }, TypeError, 'clock'],
    [{ name: '' }, RangeError, 'name'],
    [{ name: 1 }, TypeError, 'name'],
    [{ acceptUnrenewable: 'yes' }, TypeError, 'acceptUnrenewable'],
    [{ parts: { reverse: () => {} } }, TypeError, 'reverse'],
    [null, TypeError, 'options is null'],
  ])('refuses %j', (options, kind, named) => {
    const create = (): unknown => createFakeDriver(options as never);
    expect(create).toThrow(kind);
    expect(create).toThrow(named);
  });

  test('makes a host on the clock it was given', () => {
    const clock = new VirtualClock();
    expect(createFakeDriver({ clock }).host.clock).toBe(clock);
  });
});

describe('createFakeHost', () => {
  test.each([
    [{ memoryBytes: 0 }, RangeError, 'memoryBytes'],
    [{ maxMachines: 1.5 }, RangeError, 'maxMachines'],
    [{ journalEntries: '1' }, TypeError, 'journalEntries'],
    [{ memory: 1 }, TypeError, 'memory'],
    [{ name: 'x'.repeat(65) }, RangeError, 'name'],
  ])('refuses %j', (options, kind, named) => {
    const create = (): unknown => createFakeHost(options as never);
    expect(create).toThrow(kind);
    expect(create).toThrow(named);
  });

  test('refuses to let something happen that cannot', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    expect(() => rig.host.crash('absent')).toThrow(RangeError);
    rig.host.crash(machine.id);
    expect(() => rig.host.resume(machine.id)).toThrow(/it is crashed/);
  });

  test('can be lost and restored twice without harm', () => {
    const host = createFakeHost();
    host.restore();
    host.lose();
    host.lose();
    expect(host.reachable).toBe(false);
    host.restore();
    expect(host.journal()).toHaveLength(2);
  });
});

describe('latency', () => {
  test('is drawn from a spread by the random source', async () => {
    const rig = createRig({ latency: { pingMs: { minMs: 10, maxMs: 20 } }, random: () => 0.5 });
    const startedMs = rig.clock.now();
    await rig.run(rig.driver.ping());
    expect(rig.clock.now() - startedMs).toBe(15);
  });

  test('can depend on the calls under way', async () => {
    const rig = createRig({ latency: { pingMs: ({ inFlight }) => 10 * inFlight } });
    const startedMs = rig.clock.now();
    await rig.run(Promise.all([rig.driver.ping(), rig.driver.ping(), rig.driver.ping()]));
    expect(rig.clock.now() - startedMs).toBe(30);
    await rig.run(rig.driver.ping());
    expect(rig.clock.now() - startedMs).toBe(40);
  });

  test('that a function gives wrongly rejects the call with the reason as cause', async () => {
    const rig = createRig({ latency: { pingMs: () => Number.NaN } });
    expect(await rejection(rig.driver.ping())).toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: expect.any(RangeError),
    });
  });
});

describe('seededRandom', () => {
  test('gives the same numbers for the same seed, within 0 and 1', () => {
    const [one, same, other] = [seededRandom(1), seededRandom(1), seededRandom(2)];
    const numbers = Array.from({ length: 1000 }, one);
    expect(Array.from({ length: 1000 }, same)).toEqual(numbers);
    expect(Array.from({ length: 1000 }, other)).not.toEqual(numbers);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(Math.abs(numbers.reduce((sum, number) => sum + number, 0) / 1000 - 0.5)).toBeLessThan(0.05);
  });

  test('refuses a seed that is no number', () => {
    expect(() => seededRandom(Number.NaN)).toThrow(TypeError);
  });
});
