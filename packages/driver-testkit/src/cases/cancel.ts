import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, newReason, rejection, rejectsWithReason, whetherSettled } from '../assertions.ts';
import type { KitContext } from '../context.ts';
import { processesWith, startSleeper } from '../guest-tools.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { Watching } from '../watching.ts';
import { guestCalls } from './guest.ts';

/** When a call is aborted, as shares of the time that it takes. */
const MOMENTS: readonly number[] = [0.1, 0.5, 0.8];

/** Every call of driver and machine with this signal. None of them may do anything once it is aborted. */
async function everyCall(
  context: KitContext,
  signal: AbortSignal,
): Promise<Readonly<Record<string, () => Promise<unknown>>>> {
  const workplace = await context.shared();
  const { driver, owner } = workplace;
  const golden = await workplace.golden();
  const machine = await context.fork();
  const record = await workplace.recordOf(machine);
  assert.ok(record, 'a machine must be listed');
  const calls: Record<string, () => Promise<unknown>> = {
    ping: () => driver.ping({ signal }),
    list: () => driver.list(owner, { signal }),
    prepare: () => driver.prepare(context.subject.goldenImage, { owner, signal }),
    fork: () => driver.fork(golden, { owner, signal }),
    adopt: () => driver.adopt(record, { owner: context.newOwner(owner.pool), signal }),
    remove: () => driver.remove(record, { signal }),
    state: () => machine.state({ signal }),
    watch: () => machine.watch({ signal })[Symbol.asyncIterator]().next(),
  };
  if (context.capabilities.reset !== 'none') calls.reset = () => machine.reset({ signal });
  if (context.capabilities.guestAgent) {
    for (const [name, call] of Object.entries(guestCalls(machine, { signal }))) calls[`guest.${name}`] = call;
  }
  return calls;
}

/** One call that is to be given up half-way. */
interface Attempt {
  readonly start: (signal: AbortSignal) => Promise<unknown>;
  /** Takes back what the call made when it was over before its abort. */
  readonly undo: (result: unknown) => Promise<unknown>;
  /** Looks at what the call that was given up has left. */
  readonly check: () => Promise<void>;
}

interface Plan {
  readonly what: string;
  readonly tookMs: number;
  readonly attempt: () => Promise<Attempt>;
}

async function abortAtMoments(context: KitContext, { what, tookMs, attempt }: Plan): Promise<void> {
  for (const share of MOMENTS) {
    const label = `${what} at ${share * 100} % of its time`;
    let waitMs = share * tookMs;
    // A call that was over by then was faster than the one that was measured: the next one is given up sooner.
    while (!(await abortAfter(context, waitMs, await attempt(), label))) waitMs = waitMs < 2 ? 0 : waitMs / 2;
  }
}

/** False when the call was over before its abort. */
async function abortAfter(context: KitContext, waitMs: number, attempt: Attempt, label: string): Promise<boolean> {
  const controller = new AbortController();
  const reason = newReason();
  const call = attempt.start(controller.signal);
  const isOver = whetherSettled(call);
  if (waitMs > 0) await context.pause(waitMs);
  if (isOver()) {
    await attempt.undo(await call);
    return false;
  }
  controller.abort(reason);
  await rejectsWithReason(context, call, reason, label);
  await attempt.check();
  return true;
}

async function timed(context: KitContext, call: Promise<unknown>): Promise<{ result: unknown; tookMs: number }> {
  const startedMs = context.clock.now();
  const result = await call;
  return { result, tookMs: context.clock.now() - startedMs };
}

async function dispose(machine: unknown): Promise<void> {
  await (machine as AsyncDisposable)[Symbol.asyncDispose]();
}

export const cancelCases: readonly KitCase[] = [
  kitCase('CANCEL-1', 'does nothing at all with a signal that was aborted before', {}, async (context) => {
    const reason = newReason();
    const calls = await everyCall(context, AbortSignal.abort(reason));
    const before = await context.objects();
    const records = await (await context.shared()).list();
    for (const [name, call] of Object.entries(calls)) {
      await rejectsWithReason(context, call(), reason, `${name} with an aborted signal`);
    }
    assert.deepEqual(await context.objects(), before, 'calls that were aborted before must leave the host as it is');
    assert.deepEqual(
      await (await context.shared()).list(),
      records,
      'calls that were aborted before must change no record',
    );
  }),
  kitCase('CANCEL-2', 'takes a reason of any kind as it is', {}, async (context) => {
    const { driver } = await context.shared();
    for (const reason of ['a text', 0, null, new TypeError('an error')]) {
      const error = await rejection(driver.ping({ signal: AbortSignal.abort(reason) }), 'ping with an aborted signal');
      assert.ok(error === reason, `the reason must come through as it is, got ${describe(error)}`);
    }
  }),
  kitCase('CANCEL-3', 'leaves no listener on a signal', {}, async (context) => {
    const controller = new AbortController();
    const calls = await everyCall(context, controller.signal);
    // remove and adopt change what the others need; watch lives as long as its iterator.
    for (const [name, call] of Object.entries(calls).filter(([name]) => !['remove', 'adopt', 'watch'].includes(name))) {
      const result = await call();
      if (name === 'fork') context.defer(() => dispose(result));
      const { length } = getEventListeners(controller.signal, 'abort');
      assert.equal(length, 0, `${name} must leave no listener on its signal, there are ${length}`);
    }
  }),
  kitCase('CANCEL-4', 'gives a fork up at any moment and leaves nothing of it', {}, async (context) => {
    const workplace = await context.shared();
    await workplace.golden();
    const { result, tookMs } = await timed(context, workplace.fork());
    await dispose(result);
    await abortAtMoments(context, {
      what: 'fork',
      tookMs,
      attempt: async () => {
        const before = await context.objects();
        return {
          start: (signal) => workplace.fork({ signal }),
          undo: dispose,
          check: async () => {
            assert.deepEqual(await context.objects(), before, 'a fork that was given up must leave nothing');
          },
        };
      },
    });
  }),
  kitCase(
    'CANCEL-5',
    'gives a prepare up at any moment and leaves nothing of it',
    { expensive: true },
    async (context) => {
      const { goldenImage } = context.subject;
      const first = await context.alone();
      const { tookMs } = await timed(context, first.golden());
      await first.close();
      await abortAtMoments(context, {
        what: 'prepare',
        tookMs,
        attempt: async () => {
          const before = await context.objects();
          const workplace = await context.beside();
          const { driver, owner } = workplace;
          return {
            start: (signal) => driver.prepare(goldenImage, { owner, signal }),
            undo: () => workplace.close(),
            check: async () => {
              assert.deepEqual(await driver.list(owner), [], 'a prepare that was given up must leave no record');
              await workplace.close();
              assert.deepEqual(await context.objects(), before, 'a prepare that was given up must leave nothing');
            },
          };
        },
      });
    },
  ),
  kitCase(
    'CANCEL-6',
    'gives a reset up at any moment, and another one mends it',
    { needs: ['reset'] },
    async (context) => {
      const machine = await context.fork();
      const { tookMs } = await timed(context, machine.reset());
      const attempt: Attempt = {
        start: (signal) => machine.reset({ signal }),
        undo: async () => {},
        check: async () => {
          await context.within(20_000, 'reset after one that was given up', machine.reset());
          assert.equal(await machine.state(), 'running', 'a reset must mend what one that was given up left');
          if (context.capabilities.guestAgent) await machine.guest.ping();
        },
      };
      await abortAtMoments(context, { what: 'reset', tookMs, attempt: async () => attempt });
    },
  ),
  kitCase('CANCEL-7', 'takes no notice of an abort after the call', {}, async (context) => {
    const controller = new AbortController();
    const { signal } = controller;
    const machine = await context.fork(undefined, { signal });
    if (context.capabilities.reset !== 'none') await machine.reset({ signal });
    if (context.capabilities.guestAgent) await machine.guest.exec(['true'], { signal });
    controller.abort(newReason());
    await context.pause(context.scaled(100));
    assert.equal(await machine.state(), 'running', 'a machine must not care for the signal of a call that is over');
    if (context.capabilities.guestAgent) await machine.guest.ping();
  }),
  kitCase('CANCEL-8', 'kills the program of an exec that is given up', { needs: ['guest agent'] }, async (context) => {
    const { guest } = await context.machine();
    const reason = newReason();
    const { marker, ended, abort } = await startSleeper(context, guest);
    abort(reason);
    const end = await context.within(10_000, 'exec after its abort', ended);
    assert.ok(
      end.status === 'rejected' && end.reason === reason,
      'exec must reject with the reason of its signal itself',
    );
    assert.deepEqual(await processesWith(guest, marker), [], 'the program must not run on');
  }),
  kitCase('CANCEL-9', 'ends a watch that is given up, and no other', {}, async (context) => {
    const machine = await context.fork();
    const other = new Watching(context, machine);
    await other.change(5000, 'the present state');
    const controller = new AbortController();
    const reason = newReason();
    const iterator = machine.watch({ signal: controller.signal })[Symbol.asyncIterator]();
    await context.within(5000, 'the present state', iterator.next());
    const waiting = iterator.next();
    controller.abort(reason);
    await rejectsWithReason(context, waiting, reason, 'a watch that waits');
    const next = await Promise.race([other.step(), context.pause(context.scaled(200))]);
    assert.equal(next, undefined, 'the abort of one watch must not end another');
  }),
];
