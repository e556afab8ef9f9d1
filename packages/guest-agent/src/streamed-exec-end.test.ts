import { describe, expect, test } from 'vitest';
import { agentBench, turns } from './fixtures/agent-bench.ts';
import { failure, nothingLeft, stoppable } from './fixtures/streaming.ts';

describe('giving up on a streamed program', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 8, 12])(
    'after %i answers of the agent leaves nothing in the guest',
    async (answers) => {
      await using bench = agentBench();
      const { end } = stoppable(bench);
      const controller = new AbortController();
      const reason = new Error('enough');
      async function* stdin(): AsyncGenerator<string> {
        yield 'x';
        await new Promise(() => {});
      }
      const call = failure(
        bench.agent.exec(['/bin/it'], { stdin: stdin(), onOutput: () => {}, signal: controller.signal }),
      );
      for (let turn = 0; turn < 400 && bench.memory.received.length < answers; turn += 1) await turns(bench.clock, 1);
      controller.abort(reason);
      expect(await bench.drive(call)).toBe(reason);
      end(0);
      await bench.clock.advance(5000);
      await turns(bench.clock, 40);
      nothingLeft(bench);
    },
  );

  test('after its time kills it', async () => {
    await using bench = agentBench();
    const { end } = stoppable(bench);
    const error = await bench.drive(failure(bench.agent.exec(['/bin/it'], { onOutput: () => {}, timeoutMs: 500 })));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', details: { timedOut: true, killed: true } });
    end(0);
    nothingLeft(bench);
  });
});

test.each([
  [{ workingDirectory: 'relative' }, 'absolute'],
  [{ onOutput: 'no' }, 'onOutput'],
  [{ stdin: 5 }, 'stdin'],
])('refuses %j before anything is sent', async (options, word) => {
  await using bench = agentBench();
  const error = await failure(bench.agent.exec(['/bin/it'], options as object));
  expect(error).toBeInstanceOf(TypeError);
  expect(String(error)).toContain(word);
  expect(bench.memory.received).toEqual([]);
});
