import assert from 'node:assert/strict';
import type { Machine, MachineChange } from '@warmvm/core/driver';
import { isWarmvmError } from '@warmvm/core/driver';
import type { KitContext } from '../context.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { Watching } from '../watching.ts';

/** From the fact to the news of it, before scaling: pushed, and polled with the slowest delay the contract names. */
const EVENT_MS = 2000;
const POLL_MS = 10_000;

const DEAD: readonly string[] = ['crashed', 'stopped', 'stopping'];

async function expectNewsOfDeath(context: KitContext, limitMs: number): Promise<void> {
  const machine = await context.fork();
  const watching = new Watching(context, machine);
  await watching.change(limitMs, 'the present state');
  await context.kill(machine);
  await watching.until(({ state }) => DEAD.includes(state), limitMs, 'news of the death of a machine');
}

function isNewsOf(machine: Machine): (change: MachineChange) => boolean {
  return ({ state, generation }) => state === 'running' && generation === machine.generation;
}

/** A host that has forgotten a machine may say so. */
async function stateOf(machine: Machine): Promise<string> {
  try {
    return await machine.state();
  } catch (error) {
    if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) return 'stopped';
    throw error;
  }
}

function newsLimitMs({ capabilities }: KitContext): number {
  return capabilities.stateEvents ? EVENT_MS : POLL_MS;
}

export const stateCases: readonly KitCase[] = [
  kitCase('STATE-1', 'begins a watch with the present state', {}, async (context) => {
    const machine = await context.machine();
    const { state, generation, reason } = await new Watching(context, machine).change(EVENT_MS, 'the present state');
    assert.equal(state, 'running', 'a watch must begin with the present state');
    assert.equal(generation, machine.generation, 'a change must carry the generation that it belongs to');
    assert.equal(typeof reason, 'string', 'reason must be a text');
  }),
  kitCase('STATE-2.events', 'pushes the news when a machine dies', { needs: ['state events'] }, (context) =>
    expectNewsOfDeath(context, EVENT_MS),
  ),
  kitCase('STATE-2.polling', 'finds out soon that a machine has died', { needs: ['polling'] }, (context) =>
    expectNewsOfDeath(context, POLL_MS),
  ),
  kitCase('STATE-3', 'says of a machine that died that it does not run', {}, async (context) => {
    const machine = await context.fork();
    await context.kill(machine);
    const limitMs = context.scaled(newsLimitMs(context));
    const startedMs = context.clock.now();
    let seen = await stateOf(machine);
    while (seen === 'running' && context.clock.now() - startedMs < limitMs) {
      await context.pause(context.scaled(20));
      seen = await stateOf(machine);
    }
    assert.ok(DEAD.includes(seen), `state of a machine that died must say so, got ${seen}`);
  }),
  kitCase('STATE-4', 'ends every watch when the machine is disposed', {}, async (context) => {
    const machine = await context.fork();
    const watches = [new Watching(context, machine), new Watching(context, machine)];
    for (const watch of watches) await watch.change(EVENT_MS, 'the present state');
    await machine[Symbol.asyncDispose]();
    for (const watch of watches) await watch.end(newsLimitMs(context));
    const late = new Watching(context, machine);
    await late.end(newsLimitMs(context));
  }),
  kitCase('STATE-5', 'tells every watcher of a new generation', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    const watches = [new Watching(context, machine), new Watching(context, machine)];
    for (const watch of watches) await watch.change(EVENT_MS, 'the present state');
    await machine.reset();
    const isNews = isNewsOf(machine);
    for (const watch of watches) await watch.until(isNews, newsLimitMs(context), 'news of the generation');
  }),
  kitCase('STATE-6', 'spares a slow watcher what is no longer news', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    const watch = new Watching(context, machine);
    await watch.change(EVENT_MS, 'the present state');
    for (let turn = 0; turn < 4; turn += 1) await machine.reset();
    const isNewest = isNewsOf(machine);
    const { taken } = await watch.until(isNewest, newsLimitMs(context), 'news of the newest generation');
    assert.ok(taken <= 3, `a slow watcher must get the newest change at once, it took ${taken}`);
  }),
  kitCase('STATE-7', 'lets a watcher leave without a trace', {}, async (context) => {
    const machine = await context.fork();
    for await (const change of machine.watch()) {
      assert.ok(change, 'a watcher must get what it leaves with');
      break;
    }
    const other = new Watching(context, machine);
    await other.change(EVENT_MS, 'the present state for another watcher');
    assert.equal(await machine.state(), 'running', 'the machine must go on when a watcher leaves');
  }),
  kitCase('STATE-8', 'knows of a death by state no later than by watch', {}, async (context) => {
    const machine = await context.fork();
    const watching = new Watching(context, machine);
    await watching.change(EVENT_MS, 'the present state');
    await context.kill(machine);
    const isDeath = ({ state }: MachineChange): boolean => DEAD.includes(state);
    const news = await Promise.allSettled([watching.until(isDeath, newsLimitMs(context), 'news of the death')]);
    // What is never told is a matter of STATE-2.
    if (news[0].status === 'rejected') return;
    const seen = await stateOf(machine);
    assert.ok(DEAD.includes(seen), `state must not contradict what a watch has told before, got ${seen}`);
  }),
];
