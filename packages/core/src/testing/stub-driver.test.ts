import { describe, expect, test } from 'vitest';
import type { MachineRecord, OwnerTag } from '../driver/index.ts';
import { createStubDriver, type StubDriver, stubImage } from './stub-driver.ts';
import { VirtualClock } from './virtual-clock.ts';

const owner: OwnerTag = { pool: 'test', instance: 'x', process: { bootId: 'b', pid: 1, startTime: '1' } };
const golden = { digest: stubImage.digest, host: 'stub', image: stubImage };

function record(id: string, pool: string): MachineRecord {
  return { id, kind: 'machine', owner: { ...owner, pool }, generation: 7, digest: null, state: 'running' };
}

describe('createStubDriver', () => {
  test('lets every call go well at once until told otherwise', async () => {
    const driver = createStubDriver();
    expect(await driver.prepare(stubImage, { owner })).toEqual(golden);
    const machine = await driver.fork(golden, { owner });
    expect(await machine.state()).toBe('running');
    expect((await driver.ping()).host).toBe('stub');
    await driver[Symbol.asyncDispose]();
    expect(driver.machines.size).toBe(0);
    expect(driver.calls().map((call) => call.kind)).toEqual(['prepare', 'fork', 'state', 'ping', 'dispose']);
  });

  test('lists, adopts and removes by record', async () => {
    const driver = createStubDriver({ records: [record('a', 'test'), record('b', 'other')] });
    const [mine] = await driver.list({ pool: 'test' });
    expect(mine?.id).toBe('a');
    expect((await driver.adopt(mine!, { owner })).generation).toBe(7);
    await driver.remove(mine!);
    expect(driver.records.map(({ id }) => id)).toEqual(['b']);
  });

  test('leaves a manual call open until the test settles it, once', async () => {
    const driver = createStubDriver();
    driver.answer('ping', 'manual');
    const ping = driver.ping();
    const [call] = driver.pending();
    call?.reject(new Error('first'));
    call?.resolve();
    await expect(ping).rejects.toThrow('first');
    expect(call?.settled).toBe('rejected');
    expect(driver.pending()).toEqual([]);
  });

  test('answers by the number of the call, after a delay, and by a throw', async () => {
    const clock = new VirtualClock();
    const driver = createStubDriver({ clock });
    driver.answer('ping', (index) =>
      index === 0 ? { delayMs: 10, answer: { reject: new Error('late') } } : { throw: new Error('now') },
    );
    const late = expect(driver.ping()).rejects.toThrow('late');
    expect(() => driver.ping()).toThrow('now');
    await clock.advance(10);
    await late;
  });

  test('keeps a delayed answer back when told to, until the test gives one', async () => {
    const clock = new VirtualClock();
    const driver = createStubDriver({ clock });
    driver.answer('ping', { delayMs: 10, answer: { delayMs: 10 } });
    const ping = driver.ping();
    await clock.advance(15);
    const [call] = driver.pending();
    call?.hold();
    await clock.advance(100);
    expect(call?.settled).toBe('no');
    call?.resolve();
    await ping;
  });

  test('rejects an aborted call with the reason, unless it is to take no notice', async () => {
    const reason = new Error('enough');
    const heedful = createStubDriver();
    heedful.answer('ping', 'manual');
    await expect(heedful.ping({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const meanwhile = expect(heedful.ping({ signal: controller.signal })).rejects.toBe(reason);
    controller.abort(reason);
    await meanwhile;
    const heedless = createStubDriver({ honoursAbort: false });
    expect((await heedless.ping({ signal: AbortSignal.abort(reason) })).host).toBe('stub');
  });

  test('counts machines and forks under way as footprints, and remembers the most', async () => {
    const driver: StubDriver = createStubDriver();
    const machine = await driver.fork(golden, { owner });
    driver.answer('fork', 'manual');
    const failing = expect(driver.fork(golden, { owner })).rejects.toThrow('no');
    expect(driver.footprints).toBe(2);
    driver.pending('fork')[0]?.reject(new Error('no'));
    await failing;
    driver.answer('fork', { throw: new Error('no') });
    expect(() => driver.fork(golden, { owner })).toThrow('no');
    await machine[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
    await expect(machine.state()).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect([driver.footprints, driver.peakFootprints, driver.forked[0]?.disposals]).toEqual([0, 2, 1]);
  });

  test('loses its host: watches break, and calls reject', async () => {
    const driver = createStubDriver();
    const machine = await driver.fork(golden, { owner });
    const changes = machine.watch()[Symbol.asyncIterator]();
    await changes.next();
    driver.loseHost();
    await expect(changes.next()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await expect(machine.guest.ping()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await machine[Symbol.asyncDispose]();
  });
});
