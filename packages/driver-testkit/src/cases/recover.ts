import assert from 'node:assert/strict';
import type { Driver, Machine, MachineRecord } from '@warmvm/core/driver';
import { rejectsWith, whetherSettled } from '../assertions.ts';
import type { KitContext } from '../context.ts';
import { textOf } from '../guest-tools.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import type { Workplace } from '../workplace.ts';

interface Scene {
  readonly workplace: Workplace;
  readonly machine: Machine;
  readonly record: MachineRecord;
  /** Another driver and owner of the same pool: a later process. */
  readonly heir: Workplace;
}

async function machineAndHeir(context: KitContext): Promise<Scene> {
  const workplace = await context.shared();
  const machine = await context.fork();
  const heir = await context.beside(context.newOwner(workplace.owner.pool));
  const record = (await heir.list()).find(({ id }) => id === machine.id);
  assert.ok(record, 'another driver must list the machine by its pool');
  return { workplace, machine, record, heir };
}

function newOnes(objects: readonly string[], before: readonly string[]): readonly string[] {
  return objects.filter((name) => !before.includes(name));
}

/** Destroys what the records name, machines before the golden snapshots that they may lean on. */
async function sweep(driver: Driver, records: readonly MachineRecord[]): Promise<void> {
  for (const kind of ['machine', 'golden']) {
    for (const record of records.filter((candidate) => candidate.kind === kind)) await driver.remove(record);
  }
}

export const recoverCases: readonly KitCase[] = [
  kitCase('RECOVER-1', 'lists what other drivers made, with all that is known of it', {}, async (context) => {
    const { workplace, machine, record, heir } = await machineAndHeir(context);
    const { owner } = workplace;
    const { digest } = context.subject.goldenImage;
    assert.deepEqual(record, { id: machine.id, kind: 'machine', owner, generation: 1, digest, state: 'running' });
    const goldens = (await heir.list()).filter(({ kind }) => kind === 'golden');
    assert.equal(goldens.length, 1, 'the golden snapshot must be listed too');
  }),
  kitCase('RECOVER-2', 'lists nothing of other pools', {}, async (context) => {
    const { heir } = await machineAndHeir(context);
    const stranger = context.newOwner();
    assert.deepEqual(await heir.driver.list(stranger), [], 'a pool must not see what carries another mark');
  }),
  kitCase('RECOVER-3', 'adopts a machine with its id and generation', {}, async (context) => {
    const { machine, record, heir } = await machineAndHeir(context);
    const adopted = await heir.driver.adopt(record, { owner: heir.owner });
    context.defer(() => adopted[Symbol.asyncDispose]());
    assert.equal(adopted.id, machine.id, 'an adopted machine must keep its id');
    assert.equal(adopted.generation, record.generation, 'an adopted machine must keep its generation');
    assert.equal(await adopted.state(), 'running', 'an adopted machine must go on running');
    assert.deepEqual((await heir.recordOf(adopted))?.owner, heir.owner, 'the mark must name the new owner');
  }),
  kitCase('RECOVER-4', 'resets a machine that was adopted', { needs: ['reset'] }, async (context) => {
    const { record, heir } = await machineAndHeir(context);
    const adopted = await heir.driver.adopt(record, { owner: heir.owner });
    context.defer(() => adopted[Symbol.asyncDispose]());
    await adopted.reset();
    assert.equal(await adopted.state(), 'running', 'an adopted machine must run after its reset');
    assert.ok(adopted.generation >= record.generation, 'the generation must go on where it was');
    if (context.capabilities.guestAgent) assert.equal(await textOf(adopted.guest, ['echo', 'ready']), 'ready');
  }),
  kitCase('RECOVER-5', 'adopts nothing by a record that is out of date', {}, async (context) => {
    const { workplace, record, heir } = await machineAndHeir(context);
    const adopted = await heir.driver.adopt(record, { owner: heir.owner });
    context.defer(() => adopted[Symbol.asyncDispose]());
    const taker = context.newOwner(workplace.owner.pool);
    const late = workplace.driver.adopt(record, { owner: taker });
    await rejectsWith(late, 'WARMVM_MACHINE_GONE', 'adopt of a machine that has another owner by now');
    const forged = workplace.driver.adopt({ ...record, owner: context.newOwner() }, { owner: taker });
    await rejectsWith(forged, 'WARMVM_MACHINE_GONE', 'adopt of a machine that does not carry the mark of the record');
    assert.deepEqual((await heir.recordOf(adopted))?.owner, heir.owner, 'the mark must name the owner that it named');
  }),
  kitCase('RECOVER-6', 'adopts neither golden snapshots nor what is gone', {}, async (context) => {
    const { machine, record, heir } = await machineAndHeir(context);
    const golden = (await heir.list()).find(({ kind }) => kind === 'golden')!;
    const { driver, owner } = heir;
    await rejectsWith(driver.adopt(golden, { owner }), 'WARMVM_NOT_SUPPORTED', 'adopt of a golden snapshot');
    await machine[Symbol.asyncDispose]();
    await rejectsWith(driver.adopt(record, { owner }), 'WARMVM_MACHINE_GONE', 'adopt of a machine that is gone');
  }),
  kitCase('RECOVER-7', 'adopts no machine that has died', {}, async (context) => {
    const { machine, record, heir } = await machineAndHeir(context);
    await context.kill(machine);
    const codes = ['WARMVM_MACHINE_CRASHED', 'WARMVM_NOT_READY', 'WARMVM_MACHINE_GONE'] as const;
    await rejectsWith(heir.driver.adopt(record, { owner: heir.owner }), codes, 'adopt of a machine that died');
  }),
  kitCase('RECOVER-8', 'touches no machine that another has adopted', {}, async (context) => {
    const { machine, record, heir } = await machineAndHeir(context);
    const adopted = await heir.driver.adopt(record, { owner: heir.owner });
    context.defer(() => adopted[Symbol.asyncDispose]());
    if (context.capabilities.reset !== 'none') {
      await rejectsWith(machine.reset(), 'WARMVM_MACHINE_GONE', 'reset by the handle of the old owner');
      const { generation } = (await heir.recordOf(adopted))!;
      assert.equal(generation, record.generation, 'a reset by the handle of the old owner must not touch the machine');
    }
    await machine[Symbol.asyncDispose]();
    assert.equal(await adopted.state(), 'running', 'dispose of the old handle must not touch the machine');
  }),
  kitCase('RECOVER-9', 'removes what a record names, with all that belongs to it', {}, async (context) => {
    await (await context.shared()).golden();
    const before = await context.objects();
    const { record, heir } = await machineAndHeir(context);
    await heir.driver.remove(record);
    assert.deepEqual(await context.objects(), before, 'remove must leave nothing of a machine');
  }),
  kitCase('RECOVER-10', 'takes it for success when there is nothing to remove', {}, async (context) => {
    const { machine, record, heir } = await machineAndHeir(context);
    await machine[Symbol.asyncDispose]();
    await heir.driver.remove(record);
    await heir.driver.remove(record);
  }),
  kitCase('RECOVER-11', 'removes nothing by a record that is out of date', {}, async (context) => {
    const { record, heir, workplace } = await machineAndHeir(context);
    const adopted = await heir.driver.adopt(record, { owner: heir.owner });
    context.defer(() => adopted[Symbol.asyncDispose]());
    for (const stale of [record, { ...record, owner: context.newOwner() }]) {
      const [end] = await Promise.allSettled([workplace.driver.remove(stale)]);
      if (end.status === 'rejected') await rejectsWith(Promise.reject(end.reason), 'WARMVM_MACHINE_GONE', 'remove');
    }
    assert.equal(await adopted.state(), 'running', 'remove must not touch what has another owner by now');
  }),
  kitCase('RECOVER-12', 'writes its mark before anything else', {}, async (context) => {
    const workplace = await context.shared();
    await workplace.golden();
    const before = await context.objects();
    const known = (await workplace.list()).map(({ id }) => id);
    const forking = context.fork();
    const isOver = whetherSettled(forking);
    while (!isOver()) {
      const made = newOnes(await context.objects(), before);
      const records = await workplace.list();
      const isMarked = records.some(({ id }) => !known.includes(id));
      // A fork that failed between the two looks has taken back what it made.
      if (isOver()) break;
      assert.ok(made.length === 0 || isMarked, `${made.join(', ')} must not be on the host before its mark`);
      await context.pause(1);
    }
    await forking;
  }),
  kitCase('RECOVER-13', 'takes its mark away last', {}, async (context) => {
    const workplace = await context.shared();
    await workplace.golden();
    const before = await context.objects();
    const machine = await context.fork();
    const disposing = machine[Symbol.asyncDispose]();
    const isOver = whetherSettled(disposing);
    while (!isOver()) {
      const isMarked = (await workplace.recordOf(machine)) !== undefined;
      const left = newOnes(await context.objects(), before);
      // What is there after dispose is over is a matter of DISPOSE.
      if (isOver()) break;
      assert.ok(isMarked || left.length === 0, `${left.join(', ')} must not be on the host after its mark`);
      await context.pause(1);
    }
    await disposing;
  }),
  kitCase('RECOVER-14', 'lets a later process sweep everything', { expensive: true }, async (context) => {
    const dead = await context.alone();
    const before = await context.objects();
    await dead.fork();
    const heir = await context.beside(context.newOwner(dead.owner.pool));
    await sweep(heir.driver, await heir.list());
    assert.deepEqual(await context.objects(), before, 'what was listed and removed must leave nothing');
    await dead.close();
    assert.deepEqual(await heir.list(), [], 'dispose after a sweep must bring nothing back');
  }),
];
