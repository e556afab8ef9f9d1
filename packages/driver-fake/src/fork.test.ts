import { describe, expect, test } from 'vitest';
import { createRig, otherOwner, owner, rejection } from './fixtures/rig.ts';
import { fakeImage } from './index.ts';

describe('fork', () => {
  test('gives a running machine of generation 1 after exactly the scripted time', async () => {
    const rig = createRig({ latency: { forkMs: 13 } });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const startedMs = rig.clock.now();
    const machine = await rig.run(rig.driver.fork(golden, { owner }));
    expect(rig.clock.now() - startedMs).toBe(13);
    expect(machine.generation).toBe(1);
    expect(await machine.state()).toBe('running');
  });

  test('writes the mark before the machine exists and removes it after the machine is gone', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    await rig.run(machine[Symbol.asyncDispose]());
    const facts = rig.host
      .journal()
      .filter((entry) => entry.kind === 'fact' && entry.id === machine.id && entry.fact !== 'state-changed')
      .map((entry) => entry.kind === 'fact' && entry.fact);
    expect(facts).toEqual(['mark-written', 'machine-created', 'machine-removed', 'mark-removed']);
  });

  test('gives two machines different identities and different random bytes', async () => {
    const rig = createRig();
    const machines = [await rig.fork(), await rig.fork()] as const;
    const drawn = await Promise.all(
      machines.map(async ({ guest }) => {
        return Buffer.from((await rig.run(guest.exec(['head', '-c', '16', '/dev/urandom']))).stdout).toString('hex');
      }),
    );
    expect(drawn[0]).not.toBe(drawn[1]);
    for (const path of ['/etc/hostname', '/etc/machine-id', '/run/warmvm/generation']) {
      expect(await rig.text(machines[0], 'cat', path)).not.toBe(await rig.text(machines[1], 'cat', path));
    }
  });

  test('steps the clock of a guest whose golden snapshot is old', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    await rig.clock.advance(3_600_000);
    const machine = await rig.run(rig.driver.fork(golden, { owner }));
    expect(await rig.run(machine.guest.timeMs())).toBe(rig.clock.wallTimeMs());
  });

  test('boots a guest where the manifest says that a fork is a boot', async () => {
    const rig = createRig({ capabilities: { forkCost: 'boot', reset: 'disk' } });
    const machine = await rig.fork();
    expect(await rig.text(machine, 'hostname')).toBe(`${machine.id}-1`);
  });

  test('rejects with GOLDEN_MISSING once the golden snapshot is gone', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const [record] = await rig.records();
    await rig.run(rig.driver.remove(record!));
    expect(await rejection(rig.run(rig.driver.fork(golden, { owner })))).toMatchObject({
      code: 'WARMVM_GOLDEN_MISSING',
      cause: expect.any(Error),
    });
    expect(rig.host.objects().total).toBe(0);
  });

  test('rejects with GOLDEN_MISSING when the golden snapshot goes while the machine is being made', async () => {
    const rig = createRig();
    const other = createRig({ on: rig });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const [record] = await rig.records();
    const forking = rejection(rig.driver.fork(golden, { owner }));
    await rig.run(other.driver.remove(record!));
    expect(await rig.run(forking)).toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
    expect(rig.host.objects().total).toBe(0);
  });

  test('rejects with GOLDEN_MISSING for a golden snapshot of another host', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const fork = rig.driver.fork({ ...golden, host: 'elsewhere' }, { owner });
    expect(await rejection(rig.run(fork))).toMatchObject({ code: 'WARMVM_GOLDEN_MISSING' });
  });

  test('rejects with a retryable FORK_FAILED when the host has no room, and leaves nothing', async () => {
    const rig = createRig({ hostOptions: { maxMachines: 1 } });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const first = await rig.run(rig.driver.fork(golden, { owner }));
    const before = rig.host.objects();
    expect(await rejection(rig.run(rig.driver.fork(golden, { owner })))).toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      retryable: true,
      details: { reason: 'capacity' },
      cause: expect.any(Error),
    });
    expect(rig.host.objects()).toEqual(before);
    await rig.run(first[Symbol.asyncDispose]());
    expect((await rig.run(rig.driver.fork(golden, { owner }))).generation).toBe(1);
  });

  test('counts memory that machines under way have taken', async () => {
    const memoryBytes = 100 * 1024 ** 2;
    const rig = createRig({ hostOptions: { memoryBytes: 2 * memoryBytes } });
    const golden = await rig.run(rig.driver.prepare(fakeImage({ memoryBytes }), { owner }));
    const forks = await rig.run(Promise.allSettled([1, 2, 3].map(() => rig.driver.fork(golden, { owner }))));
    expect(forks.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });

  test.each([0, 2, 7])('aborted after %i ms, rejects with the reason itself and leaves nothing', async (afterMs) => {
    const rig = createRig({ latency: { forkMs: 8 } });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const before = rig.host.objects();
    const controller = new AbortController();
    const forking = rejection(rig.driver.fork(golden, { owner, signal: controller.signal }));
    await rig.clock.advance(afterMs);
    const reason = { why: 'test' };
    controller.abort(reason);
    expect(await forking).toBe(reason);
    expect(rig.host.objects()).toEqual(before);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('with a signal that is aborted already touches nothing', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const entries = rig.host.journal().filter(({ kind }) => kind === 'fact').length;
    const reason = new Error('too late');
    const forking = rig.driver.fork(golden, { owner, signal: AbortSignal.abort(reason) });
    expect(await rejection(forking)).toBe(reason);
    expect(rig.host.journal().filter(({ kind }) => kind === 'fact')).toHaveLength(entries);
  });

  test('rejects with FORK_FAILED and leaves nothing when the machine crashes before it is ready', async () => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const before = rig.host.objects();
    const forking = rejection(rig.driver.fork(golden, { owner }));
    await rig.clock.advance(7);
    rig.host.crash(rig.host.machines()[0]!.id);
    expect(await rig.run(forking)).toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      cause: { cause: { code: 'WARMVM_MACHINE_CRASHED' } },
    });
    expect(rig.host.objects()).toEqual(before);
  });

  test('destroys a machine whose guest cannot prove its renewal', async () => {
    const rig = createRig({ parts: { proves: () => false } });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const before = rig.host.objects();
    expect(await rejection(rig.run(rig.driver.fork(golden, { owner })))).toMatchObject({ code: 'WARMVM_FORK_FAILED' });
    expect(rig.host.objects()).toEqual(before);
  });

  test.each([
    { ...owner, pool: 'no spaces' },
    { ...owner, pool: 'x'.repeat(41) },
    { ...owner, instance: '' },
    undefined as never,
  ])('rejects an owner that is none with a TypeError', async (bad) => {
    const rig = createRig();
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    expect(await rejection(rig.run(rig.driver.fork(golden, { owner: bad })))).toBeInstanceOf(TypeError);
  });

  test('uses a golden snapshot that another driver made on the same host', async () => {
    const rig = createRig();
    const other = createRig({ on: rig });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const machine = await rig.run(other.driver.fork(golden, { owner: otherOwner }));
    expect(await machine.state()).toBe('running');
  });
});
