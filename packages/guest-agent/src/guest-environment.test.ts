import { describe, expect, test } from 'vitest';
import { type AgentBench, agentBench } from './fixtures/agent-bench.ts';
import type { MemoryInvocation } from './testing/index.ts';

describe('the environment', () => {
  function environmentBench(): AgentBench & { seen: () => MemoryInvocation['environment'] } {
    const bench = agentBench();
    let seen: MemoryInvocation['environment'];
    bench.memory.programs.set('/bin/it', ({ environment }) => {
      seen = environment;
      return {};
    });
    return { ...bench, seen: () => seen };
  }

  test('of the agent is kept and added to, and read only once', async () => {
    await using bench = environmentBench();
    bench.memory.files.set('/proc/self/environ', Buffer.from('PATH=/bin\0LANG=C\0broken\0=x\0'));
    await bench.drive(bench.agent.exec(['/bin/it'], { environment: { LANG: 'de', COLOUR: 'a=b' } }));
    expect(bench.seen()).toEqual({ PATH: '/bin', LANG: 'de', COLOUR: 'a=b' });
    await bench.drive(bench.agent.exec(['/bin/it'], { environment: { COLOUR: 'blue' } }));
    expect(bench.seen()).toEqual({ PATH: '/bin', LANG: 'C', COLOUR: 'blue' });
    expect(bench.memory.received.filter((name) => name === 'guest-file-open')).toHaveLength(1);
  });

  test('has a usual PATH where the agent’s own cannot be read', async () => {
    await using bench = environmentBench();
    await bench.drive(bench.agent.exec(['/bin/it'], { environment: { COLOUR: 'blue' } }));
    expect(bench.seen()).toEqual({ PATH: expect.stringContaining('/usr/bin'), COLOUR: 'blue' });
  });

  test('that adds nothing is left to the agent', async () => {
    await using bench = environmentBench();
    await bench.drive(bench.agent.exec(['/bin/it'], { environment: {} }));
    expect(bench.seen()).toBeUndefined();
    expect(bench.memory.received).not.toContain('guest-file-open');
  });

  test('that never arrives makes the call fail', async () => {
    await using bench = agentBench({
      onReply: ({ execute }, reply) => (execute === 'guest-file-read' ? undefined : reply),
    });
    bench.memory.files.set('/proc/self/environ', Buffer.from('PATH=/bin\0'));
    const call = bench.drive(bench.agent.exec(['/bin/it'], { environment: { COLOUR: 'blue' } }));
    await expect(call).rejects.toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE' });
  });
});
