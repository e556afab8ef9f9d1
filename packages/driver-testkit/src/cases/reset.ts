import assert from 'node:assert/strict';
import type { Machine } from '@warmvm/core/driver';
import { newReason, rejectsWith } from '../assertions.ts';
import type { KitContext } from '../context.ts';
import { clockError, draw, hasFile, processesWith, startSleeper, textOf } from '../guest-tools.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { CLOCK_TOLERANCE_MS } from './fork.ts';

const PROOF = { needs: ['reset', 'guest agent'] } as const;

async function expectGone(context: KitContext, path: string): Promise<void> {
  const machine = await context.fork();
  for (const tenant of ['the first tenant', 'the second tenant']) {
    await machine.guest.writeFile(path, tenant);
    assert.ok(await hasFile(machine.guest, path), `${path} must be there before the reset`);
    await machine.reset();
    assert.ok(!(await hasFile(machine.guest, path)), `${path} of ${tenant} must not survive a reset`);
  }
}

async function machineIdOf({ guest }: Machine): Promise<string | undefined> {
  const { exitCode, stdout } = await guest.exec(['cat', '/etc/machine-id']);
  return exitCode === 0 ? Buffer.from(stdout).toString() : undefined;
}

export const resetCases: readonly KitCase[] = [
  kitCase('RESET-1', 'leaves nothing in memory', PROOF, (context) => expectGone(context, context.subject.paths.memory)),
  kitCase('RESET-2', 'leaves nothing on the disk', PROOF, (context) => expectGone(context, context.subject.paths.disk)),
  kitCase('RESET-3', 'leaves no process', PROOF, async (context) => {
    const machine = await context.fork();
    const { marker } = await startSleeper(context, machine.guest);
    await machine.reset();
    assert.deepEqual(await processesWith(machine.guest, marker), [], 'a process must not survive a reset');
  }),
  kitCase('RESET-4', 'sets the clock of the new generation', PROOF, async (context) => {
    const toleranceMs = context.scaled(CLOCK_TOLERANCE_MS);
    const machine = await context.fork();
    await context.goldenOlderThan(2 * toleranceMs);
    await machine.reset();
    const offMs = await clockError(context, machine.guest);
    assert.ok(offMs <= toleranceMs, `the guest's clock may be off by ${toleranceMs} ms, it is by ${offMs}`);
  }),
  kitCase('RESET-5', 'gives every generation randomness of its own', PROOF, async (context) => {
    const machine = await context.fork();
    const drawn = [await draw(machine.guest)];
    for (let turn = 0; turn < 2; turn += 1) {
      await machine.reset();
      drawn.push(await draw(machine.guest), await draw(machine.guest));
    }
    assert.equal(new Set(drawn).size, drawn.length, 'no two draws of any two generations may be the same');
  }),
  kitCase('RESET-6', 'gives every generation an identity of its own', PROOF, async (context) => {
    const machine = await context.fork();
    const before = await machineIdOf(machine);
    if (before === undefined) return;
    await machine.reset();
    assert.notEqual(await machineIdOf(machine), before, 'the machine id must not survive a reset');
  }),
  kitCase('RESET-7', 'gives a machine back that is ready for commands', PROOF, async (context) => {
    const machine = await context.fork();
    await machine.reset();
    await machine.guest.ping();
    assert.equal(await textOf(machine.guest, ['echo', 'again']), 'again', 'a machine must be ready after a reset');
  }),
  kitCase('RESET-8', 'gives a machine back that runs', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    await machine.reset();
    assert.equal(await machine.state(), 'running', 'a machine must run after a reset');
  }),
  kitCase('RESET-9', 'advances the generation by 1', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    for (const expected of [2, 3]) {
      await machine.reset();
      assert.equal(machine.generation, expected, `the generation must be ${expected} after ${expected - 1} resets`);
    }
  }),
  kitCase('RESET-10', 'records the generation on the host', { needs: ['reset'] }, async (context) => {
    const workplace = await context.shared();
    const machine = await context.fork();
    await machine.reset();
    const record = await workplace.recordOf(machine);
    assert.equal(record?.generation, machine.generation, 'the record must carry the present generation');
  }),
  kitCase('RESET-11', 'touches nothing but the machine itself', PROOF, async (context) => {
    const bystander = await context.fork();
    const { paths } = context.subject;
    for (const path of Object.values(paths)) await bystander.guest.writeFile(path, 'of a bystander');
    const machine = await context.fork();
    await machine.reset();
    for (const path of Object.values(paths)) {
      assert.ok(await hasFile(bystander.guest, path), `${path} of another machine must survive`);
    }
    assert.equal(bystander.generation, 1, 'the generation of another machine must stay');
  }),
  kitCase(
    'RESET-12',
    'refuses a reset that it cannot do, and harms nothing',
    { needs: ['no reset'] },
    async (context) => {
      const machine = await context.fork();
      await rejectsWith(machine.reset(), 'WARMVM_NOT_SUPPORTED', 'reset of a driver without it');
      assert.equal(machine.generation, 1, 'a reset that was refused must not count');
      assert.equal(await machine.state(), 'running', 'the machine must go on running');
    },
  ),
  kitCase('RESET-13', 'counts a reset that was given up', { needs: ['reset'] }, async (context) => {
    const machine = await context.fork();
    const controller = new AbortController();
    const resetting = machine.reset({ signal: controller.signal });
    // Late enough for it to have begun.
    await context.pause(Math.min(1, context.scaled(20)));
    controller.abort(newReason());
    await Promise.allSettled([resetting]);
    assert.equal(machine.generation, 2, 'a reset that was begun must count, whatever becomes of it');
  }),
  kitCase('RESET-14', 'ends the calls to the guest that it interrupts', PROOF, async (context) => {
    const machine = await context.fork();
    const { ended } = await startSleeper(context, machine.guest);
    await machine.reset();
    const end = await context.within(10_000, 'exec after the reset that interrupted it', ended);
    assert.ok(end.status === 'rejected', 'a program must not end well that a reset has ended');
    await rejectsWith(Promise.reject(end.reason), 'WARMVM_MACHINE_GONE', 'exec that a reset interrupted');
  }),
];
