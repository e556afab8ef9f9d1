import { describe, expect, test } from 'vitest';
import { createRig, otherOwner, owner, rejection } from './fixtures/rig.ts';
import { fakeImage } from './index.ts';

const nothing = { marks: 0, goldens: 0, machines: 0, total: 0 };

describe('a driver whose process died', () => {
  test('leaves everything on the host, and another finds it by its mark, adopts it and removes it', async () => {
    const dead = createRig();
    const machine = await dead.fork();
    await dead.run(machine.reset());
    await dead.run(machine.guest.writeFile('/tmp/a', 'old tenant'));
    dead.driver.abandon();
    expect(await rejection(dead.driver.ping())).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    await dead.run(dead.driver[Symbol.asyncDispose]());
    const rig = createRig({ on: dead });
    const records = await rig.records();
    const base = { owner, digest: fakeImage().digest };
    expect(records).toEqual([
      { id: expect.any(String), kind: 'golden', generation: 0, state: 'stopped', ...base },
      { id: machine.id, kind: 'machine', generation: 2, state: 'running', ...base },
    ]);
    const adopted = await rig.run(rig.driver.adopt(records[1]!, { owner: otherOwner }));
    expect(adopted).toMatchObject({ id: machine.id, generation: 2 });
    expect((await rig.records())[1]?.owner).toEqual(otherOwner);
    await rig.run(adopted.reset());
    expect(adopted.generation).toBe(3);
    expect((await rig.run(adopted.guest.exec(['cat', '/tmp/a']))).exitCode).toBe(1);
    await rig.run(rig.driver.remove(records[0]!));
    await rig.run(rig.driver[Symbol.asyncDispose]());
    expect(rig.host.objects()).toEqual(nothing);
  });
});

describe('adopt', () => {
  test('takes the machine from its owner before, whose handle then touches it no more', async () => {
    const rig = createRig();
    const other = createRig({ on: rig });
    const machine = await rig.fork();
    const [, record] = await rig.records();
    const adopted = await rig.run(other.driver.adopt(record!, { owner: otherOwner }));
    expect(await rejection(machine.reset())).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    await rig.run(machine[Symbol.asyncDispose]());
    expect(await adopted.state()).toBe('running');
  });

  test('is won by one of two at most', async () => {
    const rig = createRig();
    const others = [createRig({ on: rig }), createRig({ on: rig })];
    await rig.fork();
    const [, record] = await rig.records();
    const adoptions = others.map(({ driver }, index) =>
      driver.adopt(record!, { owner: { ...owner, instance: `instance-${index}` } }),
    );
    const [first, second] = await rig.run(Promise.allSettled(adoptions));
    expect(first?.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'WARMVM_MACHINE_GONE' } });
  });

  test.each([
    ['crash', 'WARMVM_MACHINE_CRASHED'],
    ['stop', 'WARMVM_NOT_READY'],
    ['destroy', 'WARMVM_MACHINE_GONE'],
  ] as const)('after %s rejects with %s', async (happening, code) => {
    const rig = createRig();
    const machine = await rig.fork();
    const [, record] = await rig.records();
    rig.host[happening](machine.id);
    expect(await rejection(rig.run(rig.driver.adopt(record!, { owner })))).toMatchObject({ code });
  });

  test('refuses golden snapshots, what carries no mark, and what is no record', async () => {
    const rig = createRig();
    await rig.fork();
    const [golden, machine] = await rig.records();
    const foreign = { ...machine!, id: rig.host.plant() };
    const adopt = (record: typeof foreign): Promise<unknown> => rejection(rig.driver.adopt(record, { owner }));
    expect(await adopt(golden!)).toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
    expect(await adopt(foreign)).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await adopt(undefined as never)).toBeInstanceOf(TypeError);
  });
});

describe('list and remove', () => {
  test('list finds what carries the mark of the pool, whoever made it, and nothing of other pools', async () => {
    const rig = createRig();
    const other = createRig({ on: rig });
    const golden = await rig.run(rig.driver.prepare(fakeImage(), { owner }));
    const mine = await rig.run(other.driver.fork(golden, { owner: otherOwner }));
    await rig.run(other.driver.fork(golden, { owner: { ...owner, pool: 'other-pool' } }));
    rig.host.plant();
    expect((await rig.records()).map(({ kind, id }) => (kind === 'golden' ? kind : id))).toEqual(['golden', mine.id]);
    expect(await rejection(rig.driver.list({ pool: '' }))).toBeInstanceOf(TypeError);
  });

  test('remove of what is absent is success', async () => {
    const rig = createRig();
    await rig.fork();
    const [, record] = await rig.records();
    await rig.run(rig.driver.remove(record!));
    expect(await rig.run(rig.driver.remove(record!))).toBeUndefined();
    expect(rig.host.objects()).toEqual({ marks: 1, goldens: 1, machines: 0, total: 2 });
  });

  test('remove by two at once is success for both', async () => {
    const rig = createRig();
    await rig.fork();
    const [, record] = await rig.records();
    await rig.run(Promise.all([rig.driver.remove(record!), rig.driver.remove(record!)]));
    expect(rig.host.objects().machines).toBe(0);
  });

  test('remove takes a mark away that has no object, as a crash may leave it', async () => {
    const rig = createRig();
    rig.host.plant();
    const dead = createRig({ on: rig, parts: { destroy: () => {} } });
    const machine = await dead.fork();
    dead.driver.abandon();
    const [, record] = await rig.records();
    const once = createRig({
      on: rig,
      faults: ({ operation }) => (operation === 'remove' ? { stage: 'unmark', reject: new Error('cut') } : undefined),
    });
    await rejection(rig.run(once.driver.remove(record!)));
    expect((await rig.records())[1]).toMatchObject({ id: machine.id, kind: 'machine', state: 'unknown', digest: null });
    await rig.run(rig.driver.remove(record!));
    expect(rig.host.objects()).toMatchObject({ marks: 1, machines: 1 });
  });

  test('remove refuses what carries no mark, what changed hands, and what is no record', async () => {
    const rig = createRig();
    const machine = await rig.fork();
    const [, record] = await rig.records();
    const remove = (bad: NonNullable<typeof record>): Promise<unknown> => rejection(rig.driver.remove(bad));
    expect(await remove({ ...record!, id: rig.host.plant() })).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await remove({ ...record!, owner: otherOwner })).toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await remove(null as never)).toBeInstanceOf(TypeError);
    expect(await machine.state()).toBe('running');
  });
});
