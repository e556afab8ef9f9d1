import { describe, expect, test } from 'vitest';
import { agentBench, turns } from './fixtures/agent-bench.ts';
import type { GuestAgent } from './guest-agent.ts';

const CALLS: Readonly<Record<string, (agent: GuestAgent) => Promise<unknown>>> = {
  ping: (agent) => agent.ping(),
  info: (agent) => agent.info(),
  timeMs: (agent) => agent.timeMs(),
  fsFreeze: (agent) => agent.fsFreeze(),
  fsThaw: (agent) => agent.fsThaw(),
  osInfo: (agent) => agent.osInfo(),
  networkInterfaces: (agent) => agent.networkInterfaces(),
  exec: (agent) => agent.exec(['/bin/true']),
  streamed: (agent) => agent.exec(['/bin/true'], { onOutput: () => {} }),
  readFile: (agent) => agent.readFile('/file'),
  writeFile: (agent) => agent.writeFile('/file', 'content'),
};

describe('a guest', () => {
  test.each(Object.keys(CALLS))('that falls silent names the option that rules the wait of %s', async (name) => {
    await using bench = agentBench({
      onReply: (command, reply) => (command.execute.startsWith('guest-sync') ? reply : undefined),
      replyTimeoutMs: 700,
      replyTimeoutOption: 'agentTimeoutMs',
    });
    const failure: unknown = await bench.drive(CALLS[name]!(bench.agent)).catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', details: { option: 'agentTimeoutMs' } });
    expect((failure as Error).message).toContain('raise agentTimeoutMs (now 700)');
  });

  test.each([
    ['an answer', 7000, (agent: GuestAgent) => agent.ping()],
    ['a thaw', 84_000, (agent: GuestAgent) => agent.fsThaw()],
    ['a freeze', 84_000, (agent: GuestAgent) => agent.fsFreeze()],
  ])('is waited for as one option says: %s', async (_what, totalMs, call) => {
    await using bench = agentBench({ onReply: () => undefined, replyTimeoutMs: 7000 });
    expect(await bench.measure(call(bench.agent))).toBe(totalMs);
  });

  test('keeps an aborted call waiting for two fifths of the time for one answer', async () => {
    const started = (name: string): boolean => name === 'guest-exec';
    await using bench = agentBench({
      onReply: ({ execute }, reply) => (started(execute) ? undefined : reply),
      replyTimeoutMs: 7000,
    });
    const controller = new AbortController();
    const call = bench.agent.exec(['/bin/sh'], { signal: controller.signal });
    while (!bench.memory.received.some(started)) await turns(bench.clock);
    controller.abort('enough');
    expect(await bench.measure(call)).toBe(2800);
  });
});
