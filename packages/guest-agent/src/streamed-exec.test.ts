import { describe, expect, test } from 'vitest';
import { agentBench, text, turns } from './fixtures/agent-bench.ts';
import { failure, listener, nothingLeft, stoppable } from './fixtures/streaming.ts';
import type { MemoryInvocation } from './testing/index.ts';

/** A program that echoes its input until that ends. */
async function echo({ input, emit }: MemoryInvocation): Promise<object> {
  for await (const bytes of input ?? []) emit?.('stdout', bytes);
  return {};
}

describe('output of a program that still runs', () => {
  test('is handed over while it runs, in order for each stream, and the result holds none', async () => {
    await using bench = agentBench();
    const { started, end } = stoppable(bench);
    const { chunks, onOutput } = listener();
    const call = bench.agent.exec(['/bin/it'], { onOutput });
    await turns(bench.clock, 40);
    const { emit } = await started;
    emit?.('stdout', 'one ');
    await bench.clock.advance(60);
    await turns(bench.clock, 20);
    expect(chunks).toEqual([['stdout', 'one ']]);
    emit?.('stderr', 'oh');
    emit?.('stdout', 'two');
    await bench.clock.advance(60);
    await turns(bench.clock, 20);
    expect(chunks.slice(1)).toEqual([
      ['stdout', 'two'],
      ['stderr', 'oh'],
    ]);
    emit?.('stdout', 'last');
    end(3);
    const result = await bench.drive(call);
    expect(chunks.at(-1)).toEqual(['stdout', 'last']);
    expect(result).toMatchObject({ exitCode: 3, signal: null, stdoutTruncated: false });
    expect([result.stdout.length, result.stderr.length]).toEqual([0, 0]);
    nothingLeft(bench);
  });

  test('is looked for at least every 50 ms, and at once again after some came', async () => {
    await using bench = agentBench();
    const { started, end } = stoppable(bench);
    const { chunks, onOutput } = listener();
    const call = bench.agent.exec(['/bin/it'], { onOutput });
    await turns(bench.clock, 40);
    const { emit } = await started;
    for (let round = 0; round < 40; round += 1) {
      await bench.clock.advance(50);
      await turns(bench.clock, 10);
    }
    emit?.('stdout', 'late');
    for (let elapsedMs = 0; elapsedMs < 50 && chunks.length === 0; elapsedMs += 1) {
      await bench.clock.advance(1);
      await turns(bench.clock, 10);
    }
    expect(chunks).toEqual([['stdout', 'late']]);
    emit?.('stdout', 'soon');
    await bench.clock.advance(1);
    await turns(bench.clock, 10);
    expect(chunks).toHaveLength(2);
    end(0);
    await bench.drive(call);
  });

  test('is cut at the bound and marked, while the program runs on', async () => {
    await using bench = agentBench();
    bench.memory.programs.set('/bin/it', () => ({ stdout: 'abcd', stderr: 'abc', exitCode: 7 }));
    const { chunks, onOutput } = listener();
    const result = await bench.drive(bench.agent.exec(['/bin/it'], { onOutput, maxOutputBytes: 3 }));
    expect(chunks).toEqual([
      ['stdout', 'abc'],
      ['stderr', 'abc'],
    ]);
    expect(result).toMatchObject({ exitCode: 7, stdoutTruncated: true, stderrTruncated: false });
    nothingLeft(bench);
  });

  test('is waited with while the listener has not settled', async () => {
    await using bench = agentBench();
    bench.memory.programs.set('/bin/it', () => ({ stdout: 'x'.repeat(100_000) }));
    let pending = 0;
    let most = 0;
    let total = 0;
    const onOutput = async (bytes: Uint8Array): Promise<void> => {
      pending += 1;
      most = Math.max(most, pending);
      total += bytes.length;
      await Promise.resolve();
      pending -= 1;
    };
    await bench.drive(bench.agent.exec(['/bin/it'], { onOutput }));
    expect([most, total]).toEqual([1, 100_000]);
  });

  test('ends the program when the listener throws, and rejects with that', async () => {
    await using bench = agentBench();
    const { started, end } = stoppable(bench);
    const reason = new Error('full');
    const call = bench.agent.exec(['/bin/it'], {
      onOutput: () => {
        throw reason;
      },
    });
    const failed = failure(call);
    await turns(bench.clock, 40);
    (await started).emit?.('stdout', 'x');
    expect(await bench.drive(failed)).toBe(reason);
    end(0);
    nothingLeft(bench);
  });
});

describe('input that comes while a program runs', () => {
  test('reaches it as it comes, text and bytes, and its end ends the input', async () => {
    await using bench = agentBench();
    bench.memory.programs.set('/bin/it', echo);
    const seen: string[] = [];
    let heard: () => void = () => {};
    async function* stdin(): AsyncGenerator<Uint8Array | string> {
      for (const piece of ['ein', Buffer.from('ü'), '']) {
        const answer = new Promise<void>((resolve) => {
          heard = resolve;
        });
        yield piece;
        // The next comes only after this one was echoed: nothing is held back.
        if (piece.length > 0) await answer;
      }
    }
    const onOutput = (bytes: Uint8Array): void => {
      seen.push(text(bytes));
      heard();
    };
    const result = await bench.drive(bench.agent.exec(['/bin/it'], { stdin: stdin(), onOutput }));
    expect(seen).toEqual(['ein', 'ü']);
    expect(result.exitCode).toBe(0);
    nothingLeft(bench);
  });

  test('is neither lost nor doubled when the pipe is full for a while', async () => {
    await using bench = agentBench();
    const sent = Buffer.from(Array.from({ length: 30_000 }, (_, index) => index % 251));
    let read: Buffer = Buffer.alloc(0);
    bench.memory.programs.set('/bin/it', async ({ input }) => {
      for await (const bytes of input ?? []) {
        read = Buffer.concat([read, bytes]);
        await new Promise((resolve) => bench.clock.setTimer(() => resolve(undefined), 40));
      }
      return {};
    });
    async function* stdin(): AsyncGenerator<Uint8Array> {
      yield sent;
    }
    await bench.drive(bench.agent.exec(['/bin/it'], { stdin: stdin() }));
    expect(read.equals(sent)).toBe(true);
    expect(bench.memory.received.filter((name) => name === 'guest-file-flush').length).toBeGreaterThan(16);
    nothingLeft(bench);
  });

  test('is given up when the program ends first, and its source is told', async () => {
    await using bench = agentBench();
    bench.memory.programs.set('/bin/it', () => ({ exitCode: 1 }));
    let returned = false;
    const stdin: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          returned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    expect((await bench.drive(bench.agent.exec(['/bin/it'], { stdin }))).exitCode).toBe(1);
    expect(returned).toBe(true);
    nothingLeft(bench);
  });

  test('that throws ends the program, and the call rejects with it', async () => {
    await using bench = agentBench();
    const { end } = stoppable(bench);
    const reason = new Error('source broke');
    const stdin: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(reason) }),
    };
    expect(await bench.drive(failure(bench.agent.exec(['/bin/it'], { stdin })))).toBe(reason);
    end(0);
    nothingLeft(bench);
  });

  test('may be bytes of any length: they go through a file', async () => {
    await using bench = agentBench();
    let length = 0;
    bench.memory.programs.set('/bin/it', ({ stdin }) => {
      length = stdin.length;
      return { stdout: 'ok' };
    });
    const result = await bench.drive(bench.agent.exec(['/bin/it'], { stdin: new Uint8Array(2_097_153) }));
    expect([length, text(result.stdout)]).toEqual([2_097_153, 'ok']);
    nothingLeft(bench);
  });
});

describe('a program with a folder of its own', () => {
  test('starts there, and its output comes with the result as ever', async () => {
    await using bench = agentBench();
    bench.memory.files.set('/work/a', new Uint8Array(1));
    bench.memory.programs.set('/bin/it', ({ workingDirectory = '' }) => ({ stdout: workingDirectory, stderr: 'e' }));
    const result = await bench.drive(bench.agent.exec(['/bin/it'], { workingDirectory: '/work' }));
    expect([text(result.stdout), text(result.stderr)]).toEqual(['/work', 'e']);
    nothingLeft(bench);
  });

  test.each([
    ['a folder that is not there', ['/bin/it'], '/nowhere', 'there is no folder /nowhere'],
    ['a program that is not there', ['/bin/none'], undefined, 'there is no program /bin/none'],
  ])('is refused for %s, with what the guest said as cause', async (_, command, workingDirectory, said) => {
    await using bench = agentBench();
    bench.memory.programs.set('/bin/it', () => ({}));
    const options = { onOutput: () => {}, ...(workingDirectory === undefined ? {} : { workingDirectory }) };
    const error = await bench.drive(failure(bench.agent.exec(command, options)));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', message: expect.stringContaining(said) });
    expect(String((error as Error).cause)).toContain(said);
    nothingLeft(bench);
  });

  test('is refused by a guest without a shell, with a word on why it is needed', async () => {
    await using bench = agentBench();
    bench.memory.programs.delete('/bin/sh');
    bench.memory.programs.set('/bin/it', () => ({}));
    const error = await bench.drive(failure(bench.agent.exec(['/bin/it'], { onOutput: () => {} })));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', message: expect.stringContaining('/bin/sh') });
    nothingLeft(bench);
  });
});
