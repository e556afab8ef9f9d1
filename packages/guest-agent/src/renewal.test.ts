import { type ExecOptions, WarmvmError } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { type AgentBench, type AgentBenchOptions, agentBench, endless, text } from './fixtures/agent-bench.ts';
import { type RenewableGuest, type RenewalProof, type RenewGuestOptions, renewGuest } from './renewal.ts';
import type { MemoryExit, MemoryInvocation } from './testing/index.ts';

const SEED = new Uint8Array(64).fill(7);
const DAY_MS = 86_400_000;

interface Renewal extends AgentBench {
  readonly invocations: MemoryInvocation[];
  renew(options?: Partial<RenewGuestOptions>): Promise<RenewalProof>;
}

function renewalBench(exit: (generationId: string) => MemoryExit, benchOptions: AgentBenchOptions = {}): Renewal {
  const bench = agentBench(benchOptions);
  const invocations: MemoryInvocation[] = [];
  bench.memory.timeMs -= DAY_MS;
  bench.memory.programs.set('/sbin/renew', (invocation) => {
    invocations.push(invocation);
    return exit(invocation.argv[1] ?? '');
  });
  const renew = (options: Partial<RenewGuestOptions> = {}): Promise<RenewalProof> =>
    bench.drive(
      renewGuest(bench.agent, {
        command: '/sbin/renew',
        generationId: 'new-1',
        hostname: 'warm-1',
        machineId: '0123456789abcdef0123456789abcdef',
        seed: SEED,
        clock: bench.clock,
        toleranceMs: 100,
        ...options,
      }),
    );
  return { ...bench, invocations, renew };
}

function honest(memory = 'golden', disk = 'golden'): (generationId: string) => MemoryExit {
  return (generationId) => ({ stdout: `warmvm-renewed ${generationId} ${memory} ${disk}\n` });
}

function renewed(stdout: string): (generationId: string) => MemoryExit {
  return () => ({ stdout });
}

describe('a renewal', () => {
  test('sets the clock, passes identity and seed, and returns the proof', async () => {
    await using bench = renewalBench(honest());
    const proof = await bench.renew({ expectedPrevious: 'golden' });
    expect(proof).toEqual({
      generationId: 'new-1',
      memoryGeneration: 'golden',
      diskGeneration: 'golden',
      clockSkewMs: expect.closeTo(0, 0),
    });
    const [invocation] = bench.invocations;
    expect(invocation?.argv).toEqual(['/sbin/renew', 'new-1', 'warm-1', '0123456789abcdef0123456789abcdef']);
    expect(Buffer.compare(invocation?.stdin ?? new Uint8Array(), SEED)).toBe(0);
    expect(Math.abs(bench.memory.timeMs - bench.clock.wallTimeMs())).toBeLessThan(5);
  });

  test('takes four answers of an agent that is in step', async () => {
    await using bench = renewalBench(honest());
    await bench.agent.ping();
    bench.memory.received.length = 0;
    await bench.renew();
    expect(bench.memory.received).toEqual(['guest-set-time', 'guest-exec', 'guest-exec-status', 'guest-get-time']);
  });

  test('sets a clock again that was off when it was read', async () => {
    await using bench = renewalBench((generationId) => {
      bench.memory.timeMs += 101;
      return honest()(generationId);
    });
    expect((await bench.renew()).clockSkewMs).toBeCloseTo(0, 0);
    expect(bench.memory.received.filter((command) => command === 'guest-set-time')).toHaveLength(2);
  });

  test('says null where the guest found no generation', async () => {
    await using bench = renewalBench(honest('-', '-'));
    expect(await bench.renew({ expectedPrevious: 'none' })).toMatchObject({
      memoryGeneration: null,
      diskGeneration: null,
    });
  });

  test('passes where the agent cannot write the hardware clock but the clock is right', async () => {
    await using bench = renewalBench(honest());
    bench.memory.disabled.add('guest-set-time');
    bench.memory.timeMs = bench.clock.wallTimeMs();
    await expect(bench.renew()).resolves.toMatchObject({ generationId: 'new-1' });
  });
});

describe('a renewal fails closed', () => {
  test.each<[string, (generationId: string) => MemoryExit, object]>([
    ['no output', () => ({}), { check: 'answer', got: '' }],
    ['no newline', renewed('warmvm-renewed new-1 golden golden'), { check: 'answer' }],
    ['a second line', renewed('warmvm-renewed new-1 golden golden\nmore\n'), { check: 'answer' }],
    ['a line before', renewed('hello\nwarmvm-renewed new-1 golden golden\n'), { check: 'answer' }],
    ['a missing word', renewed('warmvm-renewed new-1 golden\n'), { check: 'answer' }],
    ['an extra word', renewed('warmvm-renewed new-1 golden golden golden\n'), { check: 'answer' }],
    ['two spaces', renewed('warmvm-renewed  new-1 golden golden\n'), { check: 'answer' }],
    ['a carriage return', renewed('warmvm-renewed new-1 golden golden\r\n'), { check: 'answer' }],
    ['very much output', renewed('x'.repeat(10_000)), { check: 'answer' }],
    [
      'another id',
      renewed('warmvm-renewed new-2 golden golden\n'),
      { check: 'generation', expected: 'new-1', got: 'new-2' },
    ],
    ['other memory', honest('old', 'golden'), { check: 'memory', expected: 'golden', got: 'old' }],
    ['another disk', honest('golden', '-'), { check: 'disk', expected: 'golden', got: '-' }],
    ['an exit code', () => ({ exitCode: 4, stderr: 'no entropy' }), { check: 'exit', got: 'exit code 4: no entropy' }],
    ['a signal', () => ({ signal: 6 }), { check: 'exit', got: 'signal 6: ' }],
  ])('for %s', async (_, exit, details) => {
    await using bench = renewalBench(exit);
    await expect(bench.renew({ expectedPrevious: 'golden' })).rejects.toMatchObject({
      code: 'WARMVM_NOT_READY',
      retryable: false,
      details,
    });
  });

  test('when memory was used before although none was expected', async () => {
    await using bench = renewalBench(honest('used', '-'));
    await expect(bench.renew({ expectedPrevious: 'none' })).rejects.toMatchObject({
      details: { check: 'memory', expected: '-' },
    });
  });

  test('when the command does not exist', async () => {
    await using bench = renewalBench(honest());
    await expect(bench.renew({ command: '/sbin/none' })).rejects.toMatchObject({
      code: 'WARMVM_NOT_READY',
      details: { check: 'exec' },
      cause: { code: 'WARMVM_GUEST_EXEC_FAILED' },
    });
  });

  test('when the command does not end in time', async () => {
    await using bench = renewalBench(honest());
    bench.memory.programs.set('/sbin/renew', endless);
    await expect(bench.renew({ timeoutMs: 500 })).rejects.toMatchObject({ details: { check: 'exec' } });
    expect(bench.memory.runningProcesses).toBe(0);
  });

  test('when the clock could not be set and is wrong, with the refusal as the cause', async () => {
    await using bench = renewalBench(honest());
    bench.memory.disabled.add('guest-set-time');
    await expect(bench.renew()).rejects.toMatchObject({
      code: 'WARMVM_NOT_READY',
      details: { check: 'clock', expected: 'at most 100 ms off' },
      cause: { code: 'WARMVM_NOT_SUPPORTED' },
    });
  });

  test('when the guest moves its clock whenever it was set', async () => {
    await using bench = renewalBench(honest(), {
      onReply: ({ execute }, reply) => {
        if (execute === 'guest-set-time') bench.memory.timeMs += 101;
        return reply;
      },
    });
    await expect(bench.renew()).rejects.toMatchObject({ details: { check: 'clock' } });
    const sets = bench.memory.received.filter((command) => command === 'guest-set-time');
    expect(sets.length).toBeGreaterThan(1);
    expect(sets.length).toBeLessThan(10);
  });

  test('when the clock is read so slowly that it may be wrong, and not because the agent is slow', async () => {
    let delayMs = 4_100;
    await using bench = renewalBench(honest(), {
      onReply: ({ execute }, reply) =>
        execute === 'guest-get-time'
          ? new Promise((resolve) => bench.clock.setTimer(() => resolve(reply), delayMs))
          : reply,
    });
    await expect(bench.renew({ toleranceMs: 100 })).rejects.toMatchObject({ details: { check: 'clock' } });
    delayMs = 300;
    await expect(bench.renew({ toleranceMs: 100 })).resolves.toMatchObject({ generationId: 'new-1' });
  });

  test.each(['guest-set-time', 'guest-get-time'])('when there is no answer to %s', async (command) => {
    await using bench = renewalBench(honest(), {
      onReply: ({ execute }, reply) => (execute === command ? undefined : reply),
    });
    await expect(bench.renew()).rejects.toMatchObject({
      code: 'WARMVM_NOT_READY',
      details: { check: 'clock' },
      cause: { code: 'WARMVM_GUEST_UNRESPONSIVE' },
    });
  });
});

describe('a renewal that is not the guest’s fault', () => {
  const lost = new WarmvmError('WARMVM_HOST_LOST', 'lost');

  function guestThatLoses(step: keyof RenewableGuest): RenewableGuest {
    const give = async <T>(name: keyof RenewableGuest, value: T): Promise<T> => {
      if (name === step) throw lost;
      return value;
    };
    const ended = {
      exitCode: 0,
      signal: null,
      stderr: new Uint8Array(0),
      stdoutTruncated: false,
      stderrTruncated: false,
    };
    const stdout = Buffer.from('warmvm-renewed new-1 - -\n');
    return {
      replyTimeoutMs: 5000,
      setTime: () => give('setTime', undefined),
      exec: (_command: readonly string[], _options?: ExecOptions) => give('exec', { ...ended, stdout }),
      timeMs: () => give('timeMs', 0),
    };
  }

  const options: RenewGuestOptions = {
    command: '/sbin/renew',
    generationId: 'new-1',
    hostname: 'warm-1',
    machineId: '0'.repeat(32),
    seed: SEED,
  };

  test.each(['setTime', 'exec', 'timeMs'] as const)('keeps the code of a host that is lost at %s', async (step) => {
    await expect(renewGuest(guestThatLoses(step), options)).rejects.toBe(lost);
  });

  test('waits for the command as the agent’s option says, and names the option that rules it', async () => {
    await using bench = renewalBench(honest());
    bench.memory.programs.set('/sbin/renew', endless);
    const call = bench.renew({ timeoutOption: 'agentTimeoutMs' }).catch((reason: unknown) => reason);
    expect(await bench.measure(call)).toBeGreaterThanOrEqual(10_000);
    expect(await call).toMatchObject({
      code: 'WARMVM_NOT_READY',
      message: expect.stringMatching(/did not end within 10000 ms.*raise agentTimeoutMs/),
    });
  });

  test('rejects with the reason when aborted', async () => {
    await using bench = renewalBench(honest());
    await expect(bench.renew({ signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });

  test.each<Partial<RenewGuestOptions>>([
    { command: 'renew' },
    { generationId: 'a b' },
    { generationId: '-' },
    { generationId: 'x\n' },
    { hostname: '' },
    { expectedPrevious: '' },
    { machineId: 'xyz' },
    { seed: new Uint8Array(63) },
    { toleranceMs: -1 },
  ])('refuses %j before it touches the guest', async (bad) => {
    await using bench = renewalBench(honest());
    const error: unknown = await bench.renew(bad).catch((reason: unknown) => reason);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect(bench.memory.received).toEqual([]);
  });

  test('never shows the seed in an error', async () => {
    await using bench = renewalBench(({ length }) => ({ exitCode: length }));
    const error: unknown = await bench.renew({ seed: Buffer.alloc(64, 'S') }).catch((reason: unknown) => reason);
    expect(JSON.stringify(error) + text(Buffer.from(String(error)))).not.toMatch(/SSS|U1NT/);
  });
});
