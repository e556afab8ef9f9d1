import assert from 'node:assert/strict';
import type { Machine } from '@warmvm/core/driver';
import { rejection, rejectsWith } from '../assertions.ts';
import type { KitContext } from '../context.ts';
import { forkUnderWay } from '../fork-under-way.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { Watching } from '../watching.ts';
import type { Workplace } from '../workplace.ts';
import { guestCalls } from './guest.ts';

interface Loss {
  readonly workplace: Workplace;
  readonly machine: Machine;
  readonly restore: () => Promise<void>;
}

/** Breaks the connection under a machine that is watched, and waits until the watch tells. */
async function loss(context: KitContext): Promise<Loss> {
  const workplace = await context.alone();
  const machine = await workplace.fork();
  context.defer(() => sweepPool(context, workplace));
  const watch = new Watching(context, machine);
  await watch.change(5000, 'the present state');
  const restore = await context.loseHost();
  await rejectsWith(
    context.within(10_000, 'the watch', watch.end(10_000)),
    'WARMVM_HOST_LOST',
    'a watch when the host is lost',
  );
  return { workplace, machine, restore };
}

/** What a lost driver left, a new one takes away. */
async function sweepPool(context: KitContext, { owner }: Workplace): Promise<void> {
  const heir = await context.subject.create();
  try {
    const records = await heir.list(owner);
    for (const record of records.filter(({ kind }) => kind === 'machine')) await heir.remove(record);
    for (const record of records.filter(({ kind }) => kind === 'golden')) await heir.remove(record);
  } finally {
    await heir[Symbol.asyncDispose]();
  }
}

export const hostLossCases: readonly KitCase[] = [
  kitCase('RECOVER-15', 'says HOST_LOST in every call once the host is lost', { expensive: true }, async (context) => {
    const { workplace, machine } = await loss(context);
    const { driver, owner } = workplace;
    const { reset, guestAgent } = context.capabilities;
    const machineCalls: Record<string, () => Promise<unknown>> = {
      state: () => machine.state(),
      ...(reset === 'none' ? {} : { reset: () => machine.reset() }),
      ...(guestAgent ? guestCalls(machine) : {}),
    };
    for (const [name, call] of Object.entries(machineCalls)) {
      await rejectsWith(context.within(10_000, name, call()), 'WARMVM_HOST_LOST', `${name} when the host is lost`);
    }
    const golden = await workplace.golden();
    const driverCalls: Record<string, () => Promise<unknown>> = {
      ping: () => driver.ping(),
      list: () => driver.list(owner),
      fork: () => driver.fork(golden, { owner }),
    };
    for (const [name, call] of Object.entries(driverCalls)) {
      const codes = ['WARMVM_HOST_LOST', 'WARMVM_HOST_UNREACHABLE'] as const;
      await rejectsWith(context.within(10_000, name, call()), codes, `${name} when the host is lost`);
    }
  }),
  kitCase('RECOVER-16', 'rejects calls under way when the host is lost', { expensive: true }, async (context) => {
    const workplace = await context.alone();
    context.defer(() => sweepPool(context, workplace));
    const { forking } = await forkUnderWay(context, workplace);
    const rejected = rejection(forking, 'fork when the host is lost');
    rejected.catch(() => {});
    await context.loseHost();
    const error = await context.within(20_000, 'fork when the host is lost', rejected);
    await rejectsWith(
      Promise.reject(error),
      ['WARMVM_HOST_LOST', 'WARMVM_HOST_UNREACHABLE'],
      'fork when the host is lost',
    );
  }),
  kitCase('RECOVER-17', 'is disposed without complaint when the host is lost', { expensive: true }, async (context) => {
    const { workplace, machine } = await loss(context);
    await context.within(20_000, 'dispose of a machine', machine[Symbol.asyncDispose]());
    await context.within(20_000, 'dispose of the driver', workplace.close());
  }),
  kitCase(
    'RECOVER-18.survives',
    'finds its machines again when the host is back',
    { expensive: true, needs: ['survives reconnect'] },
    async (context) => {
      const { workplace, machine, restore } = await loss(context);
      await restore();
      const heir = await context.beside(context.newOwner(workplace.owner.pool));
      const record = (await heir.list()).find(({ id }) => id === machine.id);
      assert.equal(record?.state, 'running', 'a machine must go on living without the connection');
      const adopted = await heir.driver.adopt(record, { owner: heir.owner });
      context.defer(() => adopted[Symbol.asyncDispose]());
      assert.equal(await adopted.state(), 'running', 'a machine must be good for its new owner');
    },
  ),
  kitCase(
    'RECOVER-18.dies',
    'leaves no machine behind that died with the connection',
    { expensive: true, needs: ['dies with connection'] },
    async (context) => {
      const { workplace, machine, restore } = await loss(context);
      await restore();
      const heir = await context.beside(context.newOwner(workplace.owner.pool));
      const runs = async (): Promise<boolean> =>
        (await heir.list()).some(({ id, state }) => id === machine.id && state === 'running');
      for (let attempt = 0; attempt < 50 && (await runs()); attempt += 1) await context.pause(context.scaled(100));
      assert.equal(await runs(), false, 'a machine must not outlive the connection');
    },
  ),
];
