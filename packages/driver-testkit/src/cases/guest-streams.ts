import assert from 'node:assert/strict';
import { rejectsWith } from '../assertions.ts';
import { processesWith, textOf } from '../guest-tools.ts';
import { type KitCase, kitCase } from '../kit-case.ts';

const AGENT = { needs: ['guest agent'] } as const;

/** Something that happens later. */
function occasion(): { happened: Promise<void>; happen: () => void } {
  let happen: () => void = () => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}

/** Cases of programs whose input and output pass while they run. */
export const guestStreamCases: readonly KitCase[] = [
  kitCase('GUEST-13', 'hands output over while the program runs', AGENT, async (context) => {
    const { guest } = await context.machine();
    const echoed = occasion();
    const chunks: Uint8Array[] = [];
    // The input ends only when its echo was heard: output that is kept until the end never comes.
    async function* stdin(): AsyncGenerator<string> {
      yield 'one, ü';
      await echoed.happened;
    }
    const onOutput = (bytes: Uint8Array): void => {
      chunks.push(bytes);
      if (Buffer.concat(chunks).toString() === 'one, ü') echoed.happen();
    };
    const running = guest.exec(['cat'], { stdin: stdin(), onOutput, signal: context.signal });
    context.defer(async () => {
      echoed.happen();
      await Promise.allSettled([running]);
    });
    const result = await context.within(10_000, 'exec whose output is listened to', running);
    assert.equal(result.exitCode, 0, 'cat must end with 0');
    assert.deepEqual([result.stdout.byteLength, result.stderr.byteLength], [0, 0], 'the result must hold no output');
  }),
  kitCase('GUEST-14', 'hands input over as it comes, to its end', AGENT, async (context) => {
    const { guest } = await context.machine();
    const pieces = ['one ', Buffer.from('ü '), '', 'x'.repeat(10_000)];
    async function* stdin(): AsyncGenerator<Uint8Array | string> {
      for (const piece of pieces) {
        yield piece;
        await context.pause(1);
      }
    }
    const said = await context.within(
      10_000,
      'exec with a sequence as input',
      textOf(guest, ['cat'], { stdin: stdin() }),
    );
    assert.equal(said, pieces.join(''), 'the program must get all of it, in order');
  }),
  kitCase('GUEST-15', 'starts a program in the folder it was given', AGENT, async (context) => {
    const { guest } = await context.machine();
    assert.equal(await textOf(guest, ['pwd'], { workingDirectory: '/etc' }), '/etc', 'pwd must print the folder');
    await rejectsWith(
      guest.exec(['pwd'], { workingDirectory: '/nonexistent/kit' }),
      'WARMVM_GUEST_EXEC_FAILED',
      'exec in no folder',
    );
  }),
  kitCase('GUEST-16', 'ends a program whose listener throws', AGENT, async (context) => {
    const { guest } = await context.machine();
    const reason = new Error('the listener has had enough');
    const over = occasion();
    async function* stdin(): AsyncGenerator<string> {
      yield 'x';
      await over.happened;
    }
    const running = guest.exec(['cat'], {
      stdin: stdin(),
      signal: context.signal,
      onOutput: () => {
        throw reason;
      },
    });
    const [end] = await context.within(10_000, 'exec whose listener throws', Promise.allSettled([running]));
    over.happen();
    assert.ok(end?.status === 'rejected' && end.reason === reason, 'exec must reject with what the listener threw');
    const left = (await processesWith(guest, 'cat')).filter((line) => /\bcat$/.test(line.trim()));
    assert.deepEqual(left, [], 'the program must not run on');
  }),
];
