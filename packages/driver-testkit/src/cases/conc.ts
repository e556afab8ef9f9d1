import assert from 'node:assert/strict';
import { allFulfilled, newReason, rejectsWith, rejectsWithReason, whetherSettled } from '../assertions.ts';
import { forkUnderWay } from '../fork-under-way.ts';
import { type KitCase, kitCase } from '../kit-case.ts';

export const concCases: readonly KitCase[] = [
  kitCase(
    'CONC-1',
    'makes one golden snapshot for all who prepare an image at once',
    { expensive: true },
    async (context) => {
      const workplace = await context.alone();
      const { driver, owner } = workplace;
      const { goldenImage } = context.subject;
      const prepared = await Promise.allSettled([1, 2, 3].map(() => driver.prepare(goldenImage, { owner })));
      const records = await driver.list(owner);
      assert.equal(records.length, 1, `one golden snapshot must be made, there are ${records.length}`);
      for (const golden of allFulfilled(prepared)) {
        const machine = await driver.fork(golden, { owner });
        context.defer(() => machine[Symbol.asyncDispose]());
        assert.equal(await machine.state(), 'running', 'every snapshot must be good for machines');
      }
    },
  ),
  kitCase('CONC-2', 'goes on preparing for those who stay when one leaves', { expensive: true }, async (context) => {
    const { driver, owner } = await context.alone();
    const { goldenImage } = context.subject;
    const controller = new AbortController();
    const reason = newReason();
    const leaving = driver.prepare(goldenImage, { owner, signal: controller.signal });
    const staying = driver.prepare(goldenImage, { owner });
    staying.catch(() => {});
    controller.abort(reason);
    await rejectsWithReason(context, leaving, reason, 'prepare of the one who leaves');
    assert.equal((await staying).digest, goldenImage.digest, 'those who stay must get their golden snapshot');
  }),
  kitCase('CONC-3', 'forks several machines at once', { needs: ['several forks at once'] }, async (context) => {
    const count = Math.min(context.capabilities.concurrentForks, 3);
    const forks = await Promise.allSettled(Array.from({ length: count }, () => context.fork()));
    const machines = allFulfilled(forks);
    assert.equal(new Set(machines.map(({ id }) => id)).size, count, 'every fork must give a machine of its own');
    for (const machine of machines) assert.equal(await machine.state(), 'running', 'every machine must run');
  }),
  kitCase(
    'CONC-4',
    'cancels the reset of a machine that is disposed, and leaves nothing',
    { needs: ['reset'] },
    async (context) => {
      await (await context.shared()).golden();
      const before = await context.objects();
      const machine = await context.fork();
      const resetting = machine.reset();
      const disposing = machine[Symbol.asyncDispose]();
      await rejectsWith(
        context.within(20_000, 'reset', resetting),
        'WARMVM_MACHINE_GONE',
        'reset of a machine that is disposed',
      );
      await context.within(20_000, 'dispose', disposing);
      assert.deepEqual(await context.objects(), before, 'dispose during a reset must leave nothing');
    },
  ),
  kitCase('CONC-5', 'gives up forks when it is disposed, and leaves nothing', { expensive: true }, async (context) => {
    const workplace = await context.alone();
    const before = await context.objects();
    const { forking } = await forkUnderWay(context, workplace);
    await context.within(60_000, 'dispose', workplace.close());
    const [end] = await Promise.allSettled([forking]);
    if (end.status === 'fulfilled')
      await rejectsWith(end.value.state(), ['WARMVM_MACHINE_GONE', 'WARMVM_HOST_LOST'], 'state');
    else
      await rejectsWith(Promise.reject(end.reason), ['WARMVM_HOST_LOST', 'WARMVM_FORK_FAILED'], 'fork during dispose');
    assert.deepEqual(await context.objects(), before, 'dispose during a fork must leave nothing');
  }),
  kitCase('CONC-6', 'lets a second reset of one machine wait for the first', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    const first = machine.reset();
    const second = machine.reset();
    const firstIsOver = whetherSettled(first);
    second.catch(() => {});
    while (!firstIsOver()) {
      assert.ok(machine.generation <= 2, 'a second reset must not begin before the first is over');
      await context.pause(1);
    }
    await Promise.all([first, second]);
    assert.equal(await machine.state(), 'running', 'the machine must run after both');
  }),
  kitCase('CONC-7', 'resets several machines at once', { needs: ['reset'] }, async (context) => {
    const machines = [await context.fork(), await context.fork()];
    await Promise.all(machines.map((machine) => machine.reset()));
    for (const machine of machines) {
      assert.equal(await machine.state(), 'running', 'every machine must run');
    }
  }),
  kitCase('CONC-8', 'answers questions while it makes something', {}, async (context) => {
    const workplace = await context.shared();
    const { driver, owner } = workplace;
    const machine = await context.machine();
    const forking = driver.fork(await workplace.golden(), { owner });
    context.defer(async () => (await forking)[Symbol.asyncDispose]());
    const [, records, state] = await Promise.all([driver.ping(), workplace.list(), machine.state()]);
    assert.ok(records.length >= 2, 'list during a fork must show what is there');
    assert.equal(state, 'running', 'state during a fork must be answered');
    await forking;
  }),
];
