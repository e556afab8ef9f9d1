import assert from 'node:assert/strict';
import { ERROR_CODES, isWarmvmError, type Machine } from '@warmvm/core/driver';
import { describe, newReason, rejectsWith } from '../assertions.ts';
import type { KitContext } from '../context.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { Watching } from '../watching.ts';
import type { Workplace } from '../workplace.ts';

/** Longest that a call may take to learn that its host refuses it, before scaling. */
const REFUSAL_MS = 20_000;

/** When one of two adoptions is aborted, as shares of the time that an adoption takes. */
const MOMENTS: readonly number[] = [0, 0.3, 0.6, 0.9];

const DEAD: readonly string[] = ['crashed', 'stopped', 'stopping'];

async function refused(context: KitContext, call: PromiseLike<unknown>, what: string): Promise<void> {
  await context.within(REFUSAL_MS, what, rejectsWith(call, ERROR_CODES, `${what} that the host refuses`));
}

async function isListed(workplace: Workplace, machine: Machine): Promise<boolean> {
  return (await workplace.recordOf(machine)) !== undefined;
}

/** Another driver and owner of the same pool, as in another process. */
function other(context: KitContext, workplace: Workplace): Promise<Workplace> {
  return context.beside(context.newOwner(workplace.owner.pool));
}

async function expectAlive(context: KitContext, machine: Machine, what: string): Promise<void> {
  assert.equal(await machine.state(), 'running', `${what} must run`);
  if (context.capabilities.reset !== 'none') await machine.reset();
}

/** Cases in which the host refuses work. */
export const faultCases: readonly KitCase[] = [
  kitCase('DISPOSE-9', 'tries again to dispose a machine when the host refused it before', {}, async (context) => {
    const workplace = await context.shared();
    await workplace.golden();
    const before = await context.objects();
    const machine = await context.fork();
    const restore = await context.injectFault('destroy', machine);
    await refused(context, machine[Symbol.asyncDispose](), 'dispose of a machine');
    await refused(context, machine[Symbol.asyncDispose](), 'a second dispose of a machine');
    assert.ok(await isListed(workplace, machine), 'a machine that is still on the host must keep its mark');
    await restore();
    await context.within(REFUSAL_MS, 'dispose that is repeated', machine[Symbol.asyncDispose]());
    assert.deepEqual(await context.objects(), before, 'dispose that is repeated must leave nothing');
  }),
  kitCase(
    'DISPOSE-10',
    'destroys with its own dispose what the dispose of a machine left',
    { expensive: true },
    async (context) => {
      const workplace = await context.alone();
      const before = await context.objects();
      const machine = await workplace.fork();
      const restore = await context.injectFault('destroy', machine);
      await refused(context, machine[Symbol.asyncDispose](), 'dispose of a machine');
      await restore();
      await workplace.close();
      assert.deepEqual(await context.objects(), before, 'dispose of the driver must destroy what is left');
    },
  ),
  kitCase(
    'DISPOSE-11',
    'does all that it can when its own dispose fails, says so, and tries the rest again',
    { expensive: true },
    async (context) => {
      const workplace = await context.alone();
      const heir = await other(context, workplace);
      const before = await context.objects();
      const stuck = await workplace.fork();
      const free = await workplace.fork();
      const restore = await context.injectFault('destroy', stuck);
      await refused(context, workplace.close(), 'dispose of the driver');
      assert.ok(!(await isListed(heir, free)), 'dispose must destroy the machines that the host does not refuse');
      await restore();
      await context.within(REFUSAL_MS, 'dispose of the driver, repeated,', workplace.close());
      assert.deepEqual(await context.objects(), before, 'dispose that is repeated must leave nothing');
    },
  ),
  kitCase(
    'STATE-9',
    'asks the hypervisor for the state, and not the events it heard',
    { needs: ['state events'] },
    async (context) => {
      const machine = await context.fork();
      await new Watching(context, machine).change(REFUSAL_MS, 'the present state');
      await context.injectFault('events', machine);
      await context.kill(machine);
      const limitMs = context.scaled(5000);
      const startedMs = context.clock.now();
      let seen = await stateOrGone(machine);
      while (!DEAD.includes(seen) && context.clock.now() - startedMs < limitMs) {
        await context.pause(context.scaled(50));
        seen = await stateOrGone(machine);
      }
      assert.ok(DEAD.includes(seen), `state must say that a machine died though no event told so, got ${seen}`);
    },
  ),
  kitCase('STATE-10', 'answers no question for the state that its host does not answer', {}, async (context) => {
    const machine = await context.fork();
    assert.equal(await machine.state(), 'running');
    const restore = await context.injectFault('state', machine);
    const reason = newReason();
    const controller = new AbortController();
    const asking = machine.state({ signal: controller.signal }).then(
      (state) => ({ state }),
      (error: unknown) => ({ error }),
    );
    const waited = context.pause(context.scaled(3000)).then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([asking, waited]);
    controller.abort(reason);
    const end = await context.within(REFUSAL_MS, 'state after its abort', asking);
    assert.ok('error' in end, `state must not answer for its host, it said ${'state' in end ? end.state : ''}`);
    const isGone =
      isWarmvmError(end.error, 'WARMVM_MACHINE_GONE') || isWarmvmError(end.error, 'WARMVM_MACHINE_CRASHED');
    assert.ok(!isGone, `a host that does not answer does not say that the machine is gone, got ${describe(end.error)}`);
    await restore();
    await expectAlive(context, machine, 'a machine whose host answers again');
  }),
  kitCase(
    'ERROR-10',
    'leaves nothing of a golden snapshot that the host refused, and does not blame the image',
    { expensive: true },
    async (context) => {
      const { driver, owner } = await context.alone();
      const before = await context.objects();
      const restore = await context.injectFault('prepare');
      for (const attempt of ['prepare', 'a second prepare']) {
        const codes = ERROR_CODES.filter((code) => code !== 'WARMVM_GOLDEN_INVALID');
        const preparing = driver.prepare(context.subject.goldenImage, { owner });
        await context.within(60_000, attempt, rejectsWith(preparing, codes, `${attempt} that the host refuses`));
        assert.deepEqual(await context.objects(), before, `${attempt} that the host refused must leave nothing`);
      }
      await restore();
      await driver.prepare(context.subject.goldenImage, { owner });
    },
  ),
  kitCase('RECOVER-19', 'changes nothing by an adoption that fails', {}, async (context) => {
    const workplace = await context.shared();
    const machine = await context.fork();
    const heir = await other(context, workplace);
    const record = (await heir.recordOf(machine))!;
    const restore = await context.injectFault('adopt', machine);
    await refused(context, heir.driver.adopt(record, { owner: heir.owner }), 'adopt');
    assert.deepEqual((await heir.recordOf(machine))?.owner, workplace.owner, 'the mark must name the owner it named');
    await restore();
    await expectAlive(context, machine, 'a machine whose adoption failed');
    const adopted = await heir.driver.adopt((await heir.recordOf(machine))!, { owner: heir.owner });
    context.defer(() => adopted[Symbol.asyncDispose]());
    assert.deepEqual((await heir.recordOf(adopted))?.owner, heir.owner, 'a later adoption must go well');
  }),
  kitCase('RECOVER-20', 'leaves the mark to the adoption that went well', { budgetMs: 60_000 }, async (context) => {
    const workplace = await context.shared();
    const losers = await other(context, workplace);
    const winners = await other(context, workplace);
    let tookMs = 0;
    for (const moment of MOMENTS) {
      const machine = await context.fork();
      const record = (await winners.recordOf(machine))!;
      const controller = new AbortController();
      const startedMs = context.clock.now();
      const owners = [losers.owner, winners.owner];
      const calls = [
        losers.driver.adopt(record, { owner: losers.owner, signal: controller.signal }),
        winners.driver.adopt(record, { owner: winners.owner }),
      ];
      const ends = Promise.allSettled(calls);
      await Promise.race([ends, context.pause(moment * tookMs)]);
      controller.abort(newReason());
      const settled = await context.within(REFUSAL_MS, 'two adoptions of one machine', ends);
      tookMs = Math.max(tookMs, context.clock.now() - startedMs);
      const present = (await winners.recordOf(machine))?.owner;
      const taken = owners.filter((_, index) => settled[index]?.status === 'fulfilled');
      const rightful = taken.length === 0 ? [record.owner] : taken;
      assert.ok(
        rightful.some(({ instance }) => instance === present?.instance),
        `the mark must name an owner whose adoption resolved, or the owner before, got ${describe(present)}`,
      );
      for (const end of settled) {
        if (end.status === 'fulfilled') context.defer(() => end.value[Symbol.asyncDispose]());
      }
      const holder = settled[owners.findIndex(({ instance }) => instance === present?.instance)];
      if (holder?.status === 'fulfilled')
        assert.equal(await holder.value.state(), 'running', 'the mark must be of use');
    }
  }),
  kitCase('RECOVER-21', 'removes later what the host refused to remove before', {}, async (context) => {
    const workplace = await context.shared();
    await workplace.golden();
    const heir = await other(context, workplace);
    const before = await context.objects();
    const machine = await context.fork();
    const record = (await heir.recordOf(machine))!;
    const restore = await context.injectFault('destroy', machine);
    await refused(context, heir.driver.remove(record), 'remove');
    assert.ok(await isListed(heir, machine), 'what is still on the host must keep its mark');
    await restore();
    await heir.driver.remove((await heir.recordOf(machine))!);
    assert.deepEqual(await context.objects(), before, 'a later remove must leave nothing');
  }),
];

/** A host that has forgotten a dead machine may say so. */
async function stateOrGone(machine: Machine): Promise<string> {
  try {
    return await machine.state();
  } catch (error) {
    if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) return 'stopped';
    throw error;
  }
}
