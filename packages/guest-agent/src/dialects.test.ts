import { describe, expect, test } from 'vitest';
import { agentBench, text } from './fixtures/agent-bench.ts';
import { failure, scriptedLine } from './fixtures/scripted-line.ts';
import type { MemoryCommand } from './testing/index.ts';

/** An agent whose answers to one command are replaced. */
function dialect(name: string, answer: unknown) {
  const bench = agentBench({
    onReply: ({ execute }: MemoryCommand, reply) =>
      execute === name ? Buffer.from(`${JSON.stringify(answer)}\n`) : reply,
  });
  bench.memory.programs.set('/bin/it', () => ({}));
  return bench;
}

describe('an agent of another make', () => {
  test.each([
    ['a negative exit code, as from Windows', { exitcode: -1 }, { exitCode: 0xffff_ffff, signal: null }],
    ['an exception of Windows', { exitcode: 0xc000_0005 }, { exitCode: 0xc000_0005, signal: null }],
    ['an exception as a signal', { signal: -1073741819 }, { exitCode: null, signal: 0xc000_0005 }],
    ['no exit code', {}, { exitCode: null, signal: null }],
    [
      'null for what is not there',
      { exitcode: 3, signal: null, 'out-data': null, 'out-truncated': null },
      { exitCode: 3 },
    ],
  ])('may report the end of a program with %s', async (_what, end, expected) => {
    await using bench = dialect('guest-exec-status', { return: { exited: true, ...end } });
    expect(await bench.drive(bench.agent.exec(['/bin/it']))).toMatchObject(expected);
  });

  test.each([
    ['without a class', { desc: 'no' }, 'GenericError', 'no'],
    ['without a description', { class: 'GenericError' }, 'GenericError', 'no reason given'],
    ['without either', {}, 'GenericError', 'no reason given'],
  ])('may refuse %s', async (_what, error, agentClass, description) => {
    await using bench = dialect('guest-get-host-name', { error });
    await expect(bench.drive(bench.agent.hostName())).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { class: agentClass, description },
    });
  });

  test.each([
    ['interfaces', null, []],
    [
      'addresses',
      [{ name: 'eth0', 'hardware-address': null, 'ip-addresses': null }],
      [{ name: 'eth0', addresses: [] }],
    ],
  ])('may say null for an empty list of %s', async (_what, answer, expected) => {
    await using bench = dialect('guest-network-get-interfaces', { return: answer });
    expect(await bench.drive(bench.agent.networkInterfaces())).toEqual(expected);
  });

  test('may call a program process 1, which is never killed', async () => {
    await using bench = dialect('guest-exec', { return: { pid: 1 } });
    const call = bench.agent.exec(['/bin/it'], { timeoutMs: 100 });
    expect(await failure(bench.drive(call))).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
    expect(bench.memory.received.filter((name) => name === 'guest-exec')).toHaveLength(1);
  });

  test('may sync without a delimiter', async () => {
    await using bench = agentBench({
      onReply: ({ execute }, reply) => (execute === 'guest-sync-delimited' ? reply.subarray(1) : reply),
    });
    bench.memory.programs.set('/bin/it', () => ({ stdout: 'yes' }));
    expect(text((await bench.drive(bench.agent.exec(['/bin/it']))).stdout)).toBe('yes');
  });

  test('may know guest-sync alone', async () => {
    await using bench = agentBench();
    bench.memory.disabled.add('guest-sync-delimited');
    await bench.drive(bench.agent.ping());
    await bench.drive(bench.agent.ping());
    expect(bench.memory.received).toEqual(['guest-sync-delimited', 'guest-sync', 'guest-ping', 'guest-ping']);
  });

  test('that knows no sync at all is not supported', async () => {
    await using bench = agentBench();
    bench.memory.disabled.add('guest-sync-delimited').add('guest-sync');
    await expect(bench.drive(bench.agent.ping())).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      details: { command: 'guest-sync' },
    });
  });

  test('that lacks one command after a sync goes on as it was', async () => {
    const line = scriptedLine();
    const call = line.channel.request('{"execute":"guest-x"}', { timeoutMs: 100 });
    await line.sync();
    await line.written();
    await line.answer('{"error": {"class": "CommandNotFound", "desc": "The command guest-x has not been found"}}\n');
    expect(await call).toContain('guest-x');
  });
});
