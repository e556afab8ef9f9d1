import { describe, expect, test } from 'vitest';
import { type AgentBench, agentBench, text, turns } from './fixtures/agent-bench.ts';
import type { MemoryExit, MemoryInvocation } from './testing/index.ts';

function benchWith(exit: MemoryExit | Promise<MemoryExit>): AgentBench {
  const bench = agentBench();
  bench.memory.programs.set('/bin/it', () => exit);
  return bench;
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
}

describe('exec', () => {
  test('passes path, arguments and standard input', async () => {
    await using bench = agentBench();
    let seen: MemoryInvocation | undefined;
    bench.memory.programs.set('/bin/it', (invocation) => {
      seen = invocation;
      return { stdout: 'out', stderr: 'err', exitCode: 3 };
    });
    const result = await bench.drive(bench.agent.exec(['/bin/it', 'a b', '$(c)', ''], { stdin: 'ü' }));
    expect(seen?.argv).toEqual(['/bin/it', 'a b', '$(c)', '']);
    expect(text(seen?.stdin ?? new Uint8Array())).toBe('ü');
    expect(seen?.environment).toBeUndefined();
    expect({ ...result, stdout: text(result.stdout), stderr: text(result.stderr) }).toEqual({
      exitCode: 3,
      signal: null,
      stdout: 'out',
      stderr: 'err',
      stdoutTruncated: false,
      stderrTruncated: false,
    });
  });

  test('costs two answers and a millisecond for a short program', async () => {
    await using bench = benchWith({});
    await bench.agent.ping();
    bench.memory.received.length = 0;
    expect(await bench.measure(bench.agent.exec(['/bin/it']))).toBe(1);
    expect(bench.memory.received).toEqual(['guest-exec', 'guest-exec-status']);
  });

  test('looks at a long program less and less often, every 50 ms at last', async () => {
    await using bench = agentBench();
    let end: (exit: MemoryExit) => void = () => {};
    bench.memory.programs.set(
      '/bin/it',
      () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    );
    const call = bench.agent.exec(['/bin/it']);
    await turns(bench.clock);
    await bench.clock.advance(63);
    const looks = (): number => bench.memory.received.filter((name) => name === 'guest-exec-status').length;
    expect(looks()).toBe(6);
    await bench.clock.advance(1000);
    expect(looks()).toBe(26);
    end({});
    expect((await bench.drive(call)).exitCode).toBe(0);
  });

  test('tells the signal that ended the program', async () => {
    await using bench = benchWith({ signal: 11 });
    expect(await bench.drive(bench.agent.exec(['/bin/it']))).toMatchObject({ exitCode: null, signal: 11 });
  });

  test('cuts output at the bound, marks it, and leaves what just fits alone', async () => {
    await using bench = benchWith({ stdout: 'abcd', stderr: 'abc' });
    const result = await bench.drive(bench.agent.exec(['/bin/it'], { maxOutputBytes: 3 }));
    expect([text(result.stdout), result.stdoutTruncated]).toEqual(['abc', true]);
    expect([text(result.stderr), result.stderrTruncated]).toEqual(['abc', false]);
  });

  test('passes on that the agent itself cut output', async () => {
    const status = { exited: true, exitcode: 0, 'err-data': 'eA==', 'err-truncated': true };
    await using bench = agentBench({
      onReply: ({ execute }, reply) =>
        execute === 'guest-exec-status' ? Buffer.from(`${JSON.stringify({ return: status })}\n`) : reply,
    });
    bench.memory.programs.set('/bin/it', () => ({}));
    expect(await bench.drive(bench.agent.exec(['/bin/it']))).toMatchObject({
      stdoutTruncated: false,
      stderrTruncated: true,
    });
  });

  test.each([
    { exited: 1 },
    { exited: true, exitcode: -(2 ** 31) - 1 },
    { exited: true, signal: 2 ** 32 },
    { exited: true, exitcode: 0.5 },
    { exited: true, exitcode: 0, 'out-data': '&&&&' },
    { exited: true, exitcode: 0, 'out-data': 'abc' },
    { exited: true, exitcode: 0, 'err-data': 'a===' },
    { exited: true, exitcode: 0, 'err-truncated': 'yes' },
  ])('calls the status %j malformed', async (status) => {
    await using bench = agentBench({
      onReply: ({ execute }, reply) =>
        execute === 'guest-exec-status' ? Buffer.from(`${JSON.stringify({ return: status })}\n`) : reply,
    });
    bench.memory.programs.set('/bin/it', () => ({}));
    const call = bench.drive(bench.agent.exec(['/bin/it']));
    await expect(call).rejects.toMatchObject({
      code: 'WARMVM_HOST_PROTOCOL',
      details: { command: 'guest-exec-status' },
    });
  });

  test('says which program could not be run, and nothing of its arguments', async () => {
    await using bench = agentBench();
    const error = await failure(bench.drive(bench.agent.exec(['/no/such', 'secret'], { stdin: 'secret' })));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', details: { program: '/no/such' } });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  });

  test('is not supported where the agent has it disabled', async () => {
    await using bench = agentBench();
    bench.memory.disabled.add('guest-exec');
    await expect(bench.agent.exec(['/bin/it'])).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
  });

  test('says so when it is not known whether the program was started', async () => {
    await using bench = agentBench({ onReply: ({ execute }, reply) => (execute === 'guest-exec' ? undefined : reply) });
    bench.memory.programs.set('/bin/it', () => ({}));
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'])));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: true, details: { killed: false } });
    expect(String(error)).toContain('may or may not have been started');
  });

  test('fails for a program that writes more than the channel carries', async () => {
    await using bench = agentBench({ maxReplyBytes: 1024 });
    bench.memory.programs.set('/bin/it', () => ({ stdout: 'x'.repeat(2000) }));
    const error = await failure(bench.drive(bench.agent.exec(['/bin/it'])));
    expect(error).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', details: { malformed: 'reply too long' } });
    await bench.agent.ping();
  });

  test.each<[unknown[], object, string]>([
    [[], {}, 'command'],
    [[''], {}, 'program'],
    [['/bin/it', 'a\0b'], {}, 'argument'],
    [['/bin/it', 5], {}, 'argument'],
    [['/bin/it'], { timeoutMs: 0 }, 'timeoutMs'],
    [['/bin/it'], { maxOutputBytes: -1 }, 'maxOutputBytes'],
    [['/bin/it'], { environment: { 'A=B': 'c' } }, 'environment'],
    [['/bin/it'], { environment: { A: 'c\0' } }, 'environment'],
  ])('refuses %j with %j', async (command, options, word) => {
    await using bench = agentBench();
    const error = await failure(bench.agent.exec(command as string[], options));
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect(String(error)).toContain(word);
    expect(bench.memory.received).toEqual([]);
  });
});
