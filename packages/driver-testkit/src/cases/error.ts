import assert from 'node:assert/strict';
import { ERROR_CODES, type ErrorCode, type GoldenImage, type WarmvmError } from '@warmvm/core/driver';
import { rejectsWith } from '../assertions.ts';
import type { KitContext } from '../context.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { guestCalls } from './guest.ts';

const UNKNOWN = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Every call of a machine that its manifest allows. */
function machineCalls(
  context: KitContext,
  machine: Parameters<typeof guestCalls>[0],
): Readonly<Record<string, () => Promise<unknown>>> {
  const { reset, guestAgent } = context.capabilities;
  return {
    state: () => machine.state(),
    ...(reset === 'none' ? {} : { reset: () => machine.reset() }),
    ...(guestAgent ? guestCalls(machine) : {}),
  };
}

function assertWellFormed(error: WarmvmError, what: string): void {
  assert.ok(error instanceof Error, `the error of ${what} must be an Error`);
  assert.ok(ERROR_CODES.includes(error.code), `the error of ${what} must carry a code of the list, got ${error.code}`);
  assert.equal(typeof error.retryable, 'boolean', `the error of ${what} must say whether it is retryable`);
  assert.notEqual(error.message, '', `the error of ${what} must say something to people`);
  assert.doesNotThrow(() => structuredClone(error.details), `details of the error of ${what} must be plain data`);
}

export const errorCases: readonly KitCase[] = [
  kitCase('ERROR-1', 'says GOLDEN_MISSING of a golden snapshot that never was', {}, async (context) => {
    const workplace = await context.shared();
    const { driver, owner } = workplace;
    const golden = await workplace.golden();
    const before = await workplace.list();
    const image: GoldenImage = { ...context.subject.goldenImage, digest: UNKNOWN };
    const fork = driver.fork({ ...golden, digest: UNKNOWN, image }, { owner });
    const error = await rejectsWith(fork, 'WARMVM_GOLDEN_MISSING', 'fork of an unknown golden snapshot');
    assert.equal(error.details.digest, UNKNOWN, 'details.digest must name the snapshot');
    assert.deepEqual(await workplace.list(), before, 'a fork that was refused must leave nothing');
  }),
  kitCase(
    'ERROR-2',
    'says GOLDEN_MISSING of a golden snapshot that somebody removed',
    { expensive: true },
    async (context) => {
      const workplace = await context.alone();
      const { driver, owner } = workplace;
      const golden = await workplace.golden();
      const other = await context.beside(context.newOwner(owner.pool));
      for (const record of await other.list()) await other.driver.remove(record);
      const error = await rejectsWith(
        driver.fork(golden, { owner }),
        'WARMVM_GOLDEN_MISSING',
        'fork of a removed golden snapshot',
      );
      assert.ok(error.cause !== undefined, 'the error must carry what the host said as its cause');
      assert.deepEqual(await driver.list(owner), [], 'a fork that failed must leave nothing');
      const again = await driver.fork(await driver.prepare(golden.image, { owner }), { owner });
      assert.equal(await again.state(), 'running', 'prepare must make anew what was removed');
    },
  ),
  kitCase('ERROR-3', 'refuses an image whose guest cannot prove to be renewed', {}, async (context) => {
    const { driver, owner } = await context.beside();
    const before = await context.objects();
    const { renewal, ...rest } = context.subject.goldenImage;
    assert.ok(renewal, 'subject.goldenImage must have a renewal command');
    const image: GoldenImage = { ...rest, digest: UNKNOWN };
    const error = await rejectsWith(
      driver.prepare(image, { owner }),
      'WARMVM_GOLDEN_INVALID',
      'prepare without renewal',
    );
    assert.equal(error.retryable, false, 'the same image will be refused again');
    assert.deepEqual(await context.objects(), before, 'an image that was refused must leave nothing');
  }),
  kitCase('ERROR-4', 'says MACHINE_GONE of a machine that was disposed', {}, async (context) => {
    const machine = await context.fork();
    await machine[Symbol.asyncDispose]();
    for (const [name, call] of Object.entries(machineCalls(context, machine))) {
      const error = await rejectsWith(call(), 'WARMVM_MACHINE_GONE', `${name} of a machine that was disposed`);
      assert.equal(error.retryable, false, `${name} of a machine that was disposed must not be retryable`);
    }
  }),
  kitCase('ERROR-5', 'says MACHINE_GONE of a machine that the host has forgotten', {}, async (context) => {
    const workplace = await context.shared();
    const machine = await context.fork();
    const other = await context.beside(context.newOwner(workplace.owner.pool));
    await other.driver.remove((await workplace.recordOf(machine))!);
    await rejectsWith(machine.state(), 'WARMVM_MACHINE_GONE', 'state of a machine that was removed');
  }),
  kitCase(
    'ERROR-6',
    'says GUEST_UNRESPONSIVE of the guest of a machine that died',
    { needs: ['guest agent'] },
    async (context) => {
      const machine = await context.fork();
      await context.kill(machine);
      const call = context.within(15_000, 'a call to a dead guest', machine.guest.exec(['true']));
      const codes: readonly ErrorCode[] = [
        'WARMVM_GUEST_UNRESPONSIVE',
        'WARMVM_MACHINE_CRASHED',
        'WARMVM_MACHINE_GONE',
      ];
      await rejectsWith(call, codes, 'exec in a machine that died');
    },
  ),
  kitCase(
    'ERROR-7',
    'mends a machine that died by a reset, or says RESET_FAILED',
    { needs: ['reset'] },
    async (context) => {
      const machine = await context.fork();
      await context.kill(machine);
      const [end] = await context.within(20_000, 'reset of a machine that died', Promise.allSettled([machine.reset()]));
      if (end.status === 'fulfilled')
        assert.equal(await machine.state(), 'running', 'a reset that resolved must have mended it');
      else {
        const codes: readonly ErrorCode[] = ['WARMVM_RESET_FAILED', 'WARMVM_MACHINE_GONE'];
        await rejectsWith(Promise.reject(end.reason), codes, 'reset of a machine that died');
      }
    },
  ),
  kitCase('ERROR-8', 'throws errors that programs can read', {}, async (context) => {
    const workplace = await context.shared();
    const { driver, owner } = workplace;
    const { goldenImage } = context.subject;
    const machine = await context.fork();
    await machine[Symbol.asyncDispose]();
    const record = { id: machine.id, kind: 'machine', owner, generation: 1, digest: null, state: 'running' } as const;
    const calls: Record<string, () => Promise<unknown>> = {
      state: () => machine.state(),
      adopt: () => driver.adopt(record, { owner }),
      fork: () => driver.fork({ digest: UNKNOWN, host: 'nowhere', image: goldenImage }, { owner }),
    };
    for (const [name, call] of Object.entries(calls)) {
      assertWellFormed(await rejectsWith(call(), ERROR_CODES, name), name);
    }
  }),
  kitCase('ERROR-9', 'passes on what the guest said as the cause', { needs: ['guest agent'] }, async (context) => {
    const { guest } = await context.machine();
    const exec = guest.exec(['/nonexistent/kit']);
    const error = await rejectsWith(exec, 'WARMVM_GUEST_EXEC_FAILED', 'exec of no program');
    assertWellFormed(error, 'exec of no program');
    assert.ok(error.cause !== undefined, 'the error must carry what the guest said as its cause');
    assert.equal(error.retryable, false, 'the same program will not be there again');
  }),
];
