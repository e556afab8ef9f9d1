import assert from 'node:assert/strict';
import type { Machine } from '@warmvm/core/driver';
import { rejectsWith } from '../assertions.ts';
import { processesWith, startSleeper, textOf } from '../guest-tools.ts';
import { type KitCase, kitCase } from '../kit-case.ts';
import { guestStreamCases } from './guest-streams.ts';

const AGENT = { needs: ['guest agent'] } as const;
const BYTES: Uint8Array = Uint8Array.from({ length: 512 }, (_, index) => index % 256);

/** Every call to a guest, as one that a guest would answer. */
export function guestCalls(
  machine: Machine,
  options: { signal?: AbortSignal } = {},
): Readonly<Record<string, () => Promise<unknown>>> {
  // The guest is asked for anew each time: a reset may have replaced it.
  return {
    ping: () => machine.guest.ping(options),
    exec: () => machine.guest.exec(['true'], options),
    readFile: () => machine.guest.readFile('/etc/hostname', options),
    writeFile: () => machine.guest.writeFile('/run/kit-call', 'x', options),
    timeMs: () => machine.guest.timeMs(options),
  };
}

export const guestCases: readonly KitCase[] = [
  kitCase('GUEST-1', 'reports a non-zero exit code as a result', AGENT, async (context) => {
    const { guest } = await context.machine();
    const good = await guest.exec(['true']);
    assert.deepEqual([good.exitCode, good.signal], [0, null], 'true must end with 0');
    const bad = await guest.exec(['false']);
    assert.deepEqual([bad.exitCode, bad.signal], [1, null], 'false must end with 1, and not reject');
  }),
  kitCase('GUEST-2', 'hands arguments over as they are, past any shell', AGENT, async (context) => {
    const { guest } = await context.machine();
    const words = ['$HOME', '`id`', 'a  b', ';', '*', "'", '"', '\\', 'ü'];
    assert.equal(
      await textOf(guest, ['echo', ...words]),
      words.join(' '),
      'arguments must reach the program unchanged',
    );
  }),
  kitCase('GUEST-3', 'hands input and output over byte by byte', AGENT, async (context) => {
    const { guest } = await context.machine();
    const { stdout, stdoutTruncated } = await guest.exec(['cat'], { stdin: BYTES });
    assert.deepEqual(Buffer.from(stdout), Buffer.from(BYTES), 'bytes must pass unchanged');
    assert.equal(stdoutTruncated, false, 'output within its bound must not be marked as cut');
    assert.equal(await textOf(guest, ['cat'], { stdin: 'text, ü' }), 'text, ü', 'text must pass as UTF-8');
  }),
  kitCase('GUEST-4', 'adds variables to the environment', AGENT, async (context) => {
    const { guest } = await context.machine();
    const environment = { KIT_VARIABLE: 'of the kit = yes' };
    const lines = (await textOf(guest, ['env'], { environment })).split('\n');
    assert.ok(lines.includes('KIT_VARIABLE=of the kit = yes'), `env must show the variable, got ${lines.join(', ')}`);
    assert.ok(
      lines.some((line) => line.startsWith('PATH=')),
      'the variables that were there must stay',
    );
  }),
  kitCase('GUEST-5', 'cuts output at its bound and says so', AGENT, async (context) => {
    const { guest } = await context.machine();
    const result = await guest.exec(['cat'], { stdin: BYTES, maxOutputBytes: 100 });
    assert.deepEqual(Buffer.from(result.stdout), Buffer.from(BYTES.subarray(0, 100)), 'the beginning must be kept');
    assert.deepEqual([result.stdoutTruncated, result.stderrTruncated], [true, false], 'what was cut must be marked');
  }),
  kitCase('GUEST-6', 'kills a program whose time is over', AGENT, async (context) => {
    const { guest } = await context.machine();
    const seconds = '86399';
    const running = guest.exec(['sleep', seconds], { timeoutMs: Math.max(1, context.scaled(500)) });
    const error = await rejectsWith(
      context.within(10_000, 'exec over its time', running),
      'WARMVM_GUEST_EXEC_FAILED',
      'exec over its time',
    );
    assert.equal(error.details.timedOut, true, 'the error must say that it was the time');
    assert.deepEqual(await processesWith(guest, `sleep ${seconds}`), [], 'the program must not run on');
  }),
  kitCase('GUEST-7', 'tells which signal ended a program', AGENT, async (context) => {
    const { guest } = await context.machine();
    const { marker, ended } = await startSleeper(context, guest);
    const [line] = await processesWith(guest, marker);
    await textOf(guest, ['kill', '-9', line!.trim().split(/\s+/)[0]!]);
    const end = await context.within(10_000, 'exec of a program that was killed', ended);
    assert.equal(end.status, 'fulfilled', 'exec of a program that was killed in the guest must resolve');
    const { exitCode, signal } = end.value as { exitCode: unknown; signal: unknown };
    assert.deepEqual({ exitCode, signal }, { exitCode: null, signal: 9 });
  }),
  kitCase('GUEST-8', 'rejects when there is no such program', AGENT, async (context) => {
    const { guest } = await context.machine();
    await rejectsWith(guest.exec(['/nonexistent/kit']), 'WARMVM_GUEST_EXEC_FAILED', 'exec of no program');
  }),
  kitCase('GUEST-9', 'writes and reads files byte by byte', AGENT, async (context) => {
    const { guest } = await context.fork();
    for (const path of Object.values(context.subject.paths)) {
      await guest.writeFile(path, 'something longer than what follows');
      await guest.writeFile(path, BYTES);
      assert.deepEqual(
        Buffer.from(await guest.readFile(path)),
        Buffer.from(BYTES),
        `${path} must hold what was written`,
      );
      await guest.writeFile(path, 'ü', { append: true });
      const expected = Buffer.concat([BYTES, Buffer.from('ü')]);
      assert.deepEqual(Buffer.from(await guest.readFile(path)), expected, `${path} must hold what was appended`);
      assert.equal((await textOf(guest, ['head', '-c', '9', path])).length > 0, true, 'programs must see the file');
    }
  }),
  kitCase('GUEST-10', 'returns nothing of a file that is too long, or is not there', AGENT, async (context) => {
    const { guest } = await context.fork();
    const { memory } = context.subject.paths;
    await guest.writeFile(memory, BYTES);
    assert.equal(
      (await guest.readFile(memory, { maxBytes: 512 })).byteLength,
      512,
      'a file that just fits must be read',
    );
    await rejectsWith(
      guest.readFile(memory, { maxBytes: 511 }),
      'WARMVM_GUEST_EXEC_FAILED',
      'readFile of a longer file',
    );
    await rejectsWith(guest.readFile('/nonexistent/kit'), 'WARMVM_GUEST_EXEC_FAILED', 'readFile of no file');
  }),
  kitCase('GUEST-11', 'keeps programs that run at the same time apart', AGENT, async (context) => {
    const { guest } = await context.machine();
    const words = ['one', 'two', 'three', 'four'];
    const said = await Promise.all(words.map((word) => textOf(guest, ['cat'], { stdin: word })));
    assert.deepEqual(said, words, 'every program must get its own input and output');
  }),
  kitCase(
    'GUEST-12',
    'refuses every call to a guest that it cannot reach',
    { needs: ['no guest agent'] },
    async (context) => {
      const machine = await context.machine();
      for (const [name, call] of Object.entries(guestCalls(machine))) {
        await rejectsWith(call(), 'WARMVM_NOT_SUPPORTED', `guest.${name} of a driver without a guest agent`);
      }
      assert.equal(await machine.state(), 'running', 'the machine must go on running');
    },
  ),
  ...guestStreamCases,
];
