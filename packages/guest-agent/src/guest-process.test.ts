import { describe, expect, test } from 'vitest';
import { type AgentBench, agentBench, endless, turns } from './fixtures/agent-bench.ts';
import type { MemoryExit } from './testing/index.ts';

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
}

describe('a program that is given up on', () => {
  function endlessBench(onReply?: NonNullable<Parameters<typeof agentBench>[0]>['onReply']): AgentBench {
    const bench = agentBench(onReply === undefined ? {} : { onReply });
    bench.memory.programs.set('/bin/it', endless);
    return bench;
  }

  test('is killed when its time is over', async () => {
    await using bench = endlessBench();
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'], { timeoutMs: 300 })));
    expect(error).toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { program: '/bin/it', timeoutMs: 300, timedOut: true, killed: true },
    });
    expect(bench.memory.runningProcesses).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test('is killed when the call is aborted, before it rejects with the reason itself', async () => {
    await using bench = endlessBench();
    const controller = new AbortController();
    const call = failure(bench.agent.exec(['/bin/it'], { signal: controller.signal }));
    await turns(bench.clock);
    await bench.clock.advance(10);
    expect(bench.memory.runningProcesses).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await bench.drive(call)).toBe(reason);
    expect(bench.memory.runningProcesses).toBe(0);
  });

  test('is killed when the abort comes while it is being started', async () => {
    const controller = new AbortController();
    await using bench = endlessBench(({ execute }, reply) => {
      if (execute === 'guest-exec') controller.abort('early');
      return reply;
    });
    const call = failure(bench.agent.exec(['/bin/it'], { signal: controller.signal }));
    expect(await bench.drive(call)).toBe('early');
    expect(bench.memory.received).toContain('guest-exec');
    expect(bench.memory.runningProcesses).toBe(0);
  });

  test('is not even started when the abort came before', async () => {
    await using bench = endlessBench();
    expect(await failure(bench.agent.exec(['/bin/it'], { signal: AbortSignal.abort('no') }))).toBe('no');
    expect(bench.memory.received).toEqual([]);
  });

  test('is killed with busybox where there is no kill', async () => {
    await using bench = endlessBench();
    const kill = bench.memory.programs.get('/bin/kill')!;
    bench.memory.programs.delete('/bin/kill');
    bench.memory.programs.set('busybox', kill);
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'], { timeoutMs: 300 })));
    expect(error).toMatchObject({ details: { killed: true } });
    expect(bench.memory.runningProcesses).toBe(0);
  });

  test('is said to run on where the guest has no kill at all', async () => {
    await using bench = endlessBench();
    bench.memory.programs.delete('/bin/kill');
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'], { timeoutMs: 300 })));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', details: { killed: false } });
    expect(String(error)).toContain('may still run');
  });

  test('keeps the call at most the clean-up time longer when the agent falls silent', async () => {
    let silent = false;
    await using bench = endlessBench((_, reply) => (silent ? undefined : reply));
    const call = failure(bench.agent.exec(['/bin/it'], { timeoutMs: 1000 }));
    await turns(bench.clock);
    silent = true;
    expect(await bench.measure(call)).toBe(3000);
    expect(await call).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', details: { killed: false } });
  });

  test('is killed late when the agent tells only then that it was started', async () => {
    let answer: () => void = () => {};
    let first = true;
    await using bench = endlessBench(({ execute }, reply) => {
      if (execute !== 'guest-exec' || !first) return reply;
      first = false;
      return new Promise((resolve) => {
        answer = () => resolve(reply);
      });
    });
    const call = failure(bench.agent.exec(['/bin/it'], { timeoutMs: 100 }));
    expect(await bench.measure(call)).toBe(2100);
    expect(bench.memory.runningProcesses).toBe(1);
    answer();
    await turns(bench.clock);
    await bench.clock.advance(100);
    expect(bench.memory.runningProcesses).toBe(0);
  });

  test('is killed when its status can no longer be understood', async () => {
    let looks = 0;
    await using bench = endlessBench(({ execute }, reply) => {
      if (execute === 'guest-exec-status') looks += 1;
      return execute === 'guest-exec-status' && looks === 2 ? Buffer.from('nonsense\n') : reply;
    });
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'])));
    expect(error).toMatchObject({ code: 'WARMVM_HOST_PROTOCOL', details: { program: '/bin/it', killed: true } });
    expect(bench.memory.runningProcesses).toBe(0);
  });

  test('counts as killed when only its children hold its output open', async () => {
    await using bench = agentBench();
    bench.memory.programs.set('/bin/it', endless);
    bench.memory.programs.set('/bin/kill', () => ({}));
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'], { timeoutMs: 300 })));
    expect(error).toMatchObject({ details: { killed: true } });
  });

  test('needs no kill when it ended by itself in the last moment', async () => {
    await using bench = agentBench();
    let end: (exit: MemoryExit) => void = () => {};
    bench.memory.programs.set(
      '/bin/it',
      () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    );
    const controller = new AbortController();
    const call = failure(bench.agent.exec(['/bin/it'], { signal: controller.signal }));
    await turns(bench.clock);
    end({});
    controller.abort('late');
    expect(await bench.drive(call)).toBe('late');
    expect(bench.memory.received.filter((name) => name === 'guest-exec')).toHaveLength(1);
  });
});
