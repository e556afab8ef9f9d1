import assert from 'node:assert/strict';
import { type KitCase, kitCase } from '../kit-case.ts';

export const disposeCases: readonly KitCase[] = [
  kitCase('DISPOSE-1', 'leaves nothing of a machine that is disposed', {}, async (context) => {
    await (await context.shared()).golden();
    const before = await context.objects();
    const machine = await context.fork();
    assert.ok((await context.objects()).length > before.length, 'subject.hostObjects must show a machine');
    await machine[Symbol.asyncDispose]();
    assert.deepEqual(await context.objects(), before, 'dispose of a machine must leave nothing');
  }),
  kitCase('DISPOSE-2', 'disposes a machine once, however often it is asked', {}, async (context) => {
    const machine = await context.fork();
    await Promise.all([machine[Symbol.asyncDispose](), machine[Symbol.asyncDispose]()]);
    await machine[Symbol.asyncDispose]();
  }),
  kitCase('DISPOSE-3', 'leaves nothing of a machine that has died', {}, async (context) => {
    await (await context.shared()).golden();
    const before = await context.objects();
    const machine = await context.fork();
    await context.kill(machine);
    await machine[Symbol.asyncDispose]();
    assert.deepEqual(await context.objects(), before, 'dispose of a dead machine must leave nothing');
  }),
  kitCase('DISPOSE-4', 'disposes a machine that somebody has removed', {}, async (context) => {
    const workplace = await context.shared();
    const machine = await context.fork();
    const other = await context.beside(context.newOwner(workplace.owner.pool));
    await other.driver.remove((await workplace.recordOf(machine))!);
    await machine[Symbol.asyncDispose]();
  }),
  kitCase(
    'DISPOSE-5',
    'leaves nothing of a machine whose reset was given up',
    { needs: ['reset'] },
    async (context) => {
      await (await context.shared()).golden();
      const before = await context.objects();
      const machine = await context.fork();
      const controller = new AbortController();
      const resetting = machine.reset({ signal: controller.signal });
      resetting.catch(() => {});
      controller.abort(new Error('given up'));
      await Promise.allSettled([resetting]);
      await machine[Symbol.asyncDispose]();
      assert.deepEqual(await context.objects(), before, 'dispose after a reset that was given up must leave nothing');
    },
  ),
  kitCase(
    'DISPOSE-6',
    'leaves no more after many lives of machines than after one',
    { budgetMs: 60_000 },
    async (context) => {
      await (await context.shared()).golden();
      const before = await context.objects();
      for (let life = 0; life < 3; life += 1) {
        const machine = await context.fork();
        if (context.capabilities.reset !== 'none') await machine.reset();
        if (context.capabilities.guestAgent) await machine.guest.writeFile(context.subject.paths.disk, 'x');
        await machine[Symbol.asyncDispose]();
      }
      assert.deepEqual(await context.objects(), before, 'lives that are over must leave nothing');
    },
  ),
  kitCase('DISPOSE-7', 'leaves nothing on the host when it is disposed', { expensive: true }, async (context) => {
    const workplace = await context.alone();
    const before = await context.objects();
    await workplace.fork();
    await workplace.fork();
    await workplace.close();
    assert.deepEqual(
      await context.objects(),
      before,
      'dispose of the driver must take all machines and golden snapshots',
    );
  }),
  kitCase('DISPOSE-8', 'is disposed once, however often it is asked', {}, async (context) => {
    const { driver } = await context.beside();
    await driver.ping();
    await Promise.all([driver[Symbol.asyncDispose](), driver[Symbol.asyncDispose]()]);
    await driver[Symbol.asyncDispose]();
  }),
];
