import { isWarmvmError } from '@warmvm/core/driver';
import { VirtualClock } from '@warmvm/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentChannel } from './channel.ts';
import { agentBench, drive, turns } from './fixtures/agent-bench.ts';
import { createGuestAgent, type GuestAgent } from './guest-agent.ts';
import { refusalReply } from './index.ts';

/** A channel that gives the same answer to everything. */
function constantChannel(reply: string): AgentChannel & { readonly sent: string[]; resyncs: number } {
  return {
    sent: [],
    resyncs: 0,
    async request(json) {
      this.sent.push(json);
      return reply;
    },
    resync() {
      this.resyncs += 1;
    },
  };
}

function answering(value: unknown): GuestAgent {
  return createGuestAgent(constantChannel(JSON.stringify({ return: value })), { clock: new VirtualClock() });
}

const CALLS: Readonly<Record<string, (agent: GuestAgent) => Promise<unknown>>> = {
  info: (agent) => agent.info(),
  timeMs: (agent) => agent.timeMs(),
  fsFreeze: (agent) => agent.fsFreeze(),
  fsThaw: (agent) => agent.fsThaw(),
  fsFreezeStatus: (agent) => agent.fsFreezeStatus(),
  hostName: (agent) => agent.hostName(),
  osInfo: (agent) => agent.osInfo(),
  networkInterfaces: (agent) => agent.networkInterfaces(),
  exec: (agent) => agent.exec(['/bin/true']),
  readFile: (agent) => agent.readFile('/file'),
  writeFile: (agent) => agent.writeFile('/file', 'content'),
};

describe('a guest agent', () => {
  test('answers a ping', async () => {
    await using bench = agentBench();
    await expect(bench.agent.ping()).resolves.toBeUndefined();
  });

  test('says its version and which commands may be used', async () => {
    await using bench = agentBench();
    bench.memory.disabled.add('guest-exec');
    const info = await bench.agent.info();
    expect(info.version).toBe('7.2.22');
    expect(info.commands).toContainEqual({ name: 'guest-exec', enabled: false });
    expect(info.commands).toContainEqual({ name: 'guest-ping', enabled: true });
  });

  test('tells the time in milliseconds', async () => {
    await using bench = agentBench();
    bench.memory.timeMs = 1_234_567_890_123;
    expect(await bench.agent.timeMs()).toBeCloseTo(1_234_567_890_123, 2);
  });

  test('is set to a time with every digit of the nanoseconds', async () => {
    const channel = constantChannel('{"return": {}}');
    await createGuestAgent(channel).setTime(1_795_434_726_553.125);
    expect(channel.sent).toEqual(['{"execute":"guest-set-time","arguments":{"time":1795434726553125000}}']);
  });

  test('is not set to what is no moment', async () => {
    for (const timeMs of [Number.NaN, Number.POSITIVE_INFINITY, 9e15]) {
      await expect(answering({}).setTime(timeMs)).rejects.toThrow(RangeError);
    }
  });

  test('freezes, tells so, and thaws', async () => {
    await using bench = agentBench();
    expect(await bench.agent.fsFreeze()).toBe(1);
    expect(await bench.agent.fsFreezeStatus()).toBe('frozen');
    expect(await bench.agent.fsThaw()).toBe(1);
    expect(await bench.agent.fsFreezeStatus()).toBe('thawed');
  });

  test('is thawed again when the freeze is aborted on its way', async () => {
    await using bench = agentBench();
    const controller = new AbortController();
    const call = bench.agent.fsFreeze({ signal: controller.signal });
    controller.abort('no');
    await expect(bench.drive(call)).rejects.toBe('no');
    expect(bench.memory.received.slice(-2)).toEqual(['guest-fsfreeze-freeze', 'guest-fsfreeze-thaw']);
  });

  test('tells its host name and operating system', async () => {
    await using bench = agentBench();
    expect(await bench.agent.hostName()).toBe('memory');
    expect(await bench.agent.osInfo()).toEqual({
      id: 'memory',
      prettyName: 'Memory 1',
      kernelRelease: '6.1.0',
      machine: 'x86_64',
    });
  });

  test('tells its network interfaces', async () => {
    const addresses = [{ 'ip-address': '10.0.2.15', 'ip-address-type': 'ipv4', prefix: 24 }];
    const agent = answering([
      { name: 'eth0', 'hardware-address': '02:AB:00:00:00:01', 'ip-addresses': addresses },
      { name: 'tun0' },
    ]);
    expect(await agent.networkInterfaces()).toEqual([
      { name: 'eth0', hardwareAddress: '02:ab:00:00:00:01', addresses: ['10.0.2.15'] },
      { name: 'tun0', addresses: [] },
    ]);
  });

  test('that never answers is unresponsive after the time for one answer', async () => {
    await using bench = agentBench({ onReply: () => undefined, replyTimeoutMs: 700 });
    const call = bench.agent.ping().catch((reason: unknown) => reason);
    expect(await bench.measure(call)).toBe(700);
    expect(await call).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: true });
  });

  test('rejects an aborted call with the reason itself', async () => {
    await using bench = agentBench({ onReply: () => undefined });
    const controller = new AbortController();
    const call = bench.agent.ping({ signal: controller.signal }).catch((reason: unknown) => reason);
    await turns(bench.clock);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await call).toBe(reason);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test('takes good options only', () => {
    const channel = constantChannel('');
    for (const options of [
      { replyTimeoutMs: 0 },
      { cleanupTimeoutMs: 2 ** 31 },
      { chunkBytes: 3_000_000 },
      { chunkBytes: 1.5 },
    ]) {
      expect(() => createGuestAgent(channel, options)).toThrow(RangeError);
    }
  });
});

describe('a refusal', () => {
  test('of a command that the agent lacks or has disabled means: not supported', async () => {
    await using bench = agentBench();
    bench.memory.disabled.add('guest-get-host-name');
    await expect(bench.agent.hostName()).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      details: { command: 'guest-get-host-name', class: 'CommandNotFound' },
    });
  });

  test('of what the guest cannot do at all means: not supported', async () => {
    const desc = 'this feature or command is not currently supported';
    const agent = createGuestAgent(constantChannel(JSON.stringify({ error: { class: 'GenericError', desc } })));
    await expect(agent.setTime(0)).rejects.toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
  });

  test('keeps the class and the description of the agent, made safe to print', async () => {
    const error = { class: 'GenericError', desc: `bad\u001b[31m ${'x'.repeat(500)}` };
    const failure: unknown = await createGuestAgent(constantChannel(JSON.stringify({ error })))
      .hostName()
      .catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED', details: { class: 'GenericError' } });
    const { description } = (failure as { details: { description: string } }).details;
    expect(description).toHaveLength(200);
    expect(description).toMatch(/^bad\?\[31m x+$/);
  });

  test('that came as a sentence is told apart by it', async () => {
    const cases = [
      [
        "unable to execute QEMU agent command 'guest-x': The command guest-x has not been found",
        'WARMVM_NOT_SUPPORTED',
      ],
      ['Command guest-x has been disabled: the agent is frozen', 'WARMVM_NOT_SUPPORTED'],
      ['The command has been disabled for this instance', 'WARMVM_NOT_SUPPORTED'],
      ["handle '77' has not been found", 'WARMVM_GUEST_EXEC_FAILED'],
    ] as const;
    for (const [sentence, code] of cases) {
      await expect(createGuestAgent(constantChannel(refusalReply(sentence))).ping()).rejects.toMatchObject({ code });
    }
  });
});

describe('an answer that makes no sense', () => {
  const garbage = ['', 'null', '[]', '{', '{}', '{"error":"x"}', '"return"', '\u0000'];

  test.each(garbage)('%j is a protocol error, and the channel must get in step', async (reply) => {
    const channel = constantChannel(reply);
    const call = createGuestAgent(channel).ping();
    await expect(call).rejects.toMatchObject({
      code: 'WARMVM_HOST_PROTOCOL',
      details: { command: 'guest-ping', malformed: expect.any(String) },
    });
    expect(channel.resyncs).toBe(1);
  });

  test('is quoted in at most 200 printable characters', async () => {
    const failure: unknown = await createGuestAgent(constantChannel(`\u001b${'é'.repeat(1000)}`))
      .ping()
      .catch((reason: unknown) => reason);
    expect((failure as { details: { excerpt: string } }).details.excerpt).toMatch(/^\?{200}$/);
  });

  test('has the wrong shape for the command', async () => {
    const cases: readonly (readonly [keyof typeof CALLS, unknown])[] = [
      ['info', {}],
      ['info', { version: '1', supported_commands: [{ name: 1 }] }],
      ['timeMs', 'noon'],
      ['timeMs', 1e300],
      ['fsFreeze', -1],
      ['fsThaw', 1.5],
      ['fsFreezeStatus', 'cold'],
      ['hostName', { 'host-name': 5 }],
      ['osInfo', { id: 5 }],
      ['networkInterfaces', {}],
      ['networkInterfaces', [{ 'hardware-address': 'x' }]],
      ['networkInterfaces', [{ name: 'eth0', 'ip-addresses': [{}] }]],
      ['exec', { pid: 0 }],
      ['exec', { pid: '1000' }],
      ['readFile', 'handle'],
      ['writeFile', null],
    ];
    const clock = new VirtualClock();
    for (const [name, value] of cases) {
      const agent = createGuestAgent(constantChannel(JSON.stringify({ return: value })), { clock });
      await expect(drive(clock, CALLS[name]!(agent), 10_000), name).rejects.toMatchObject({
        code: 'WARMVM_HOST_PROTOCOL',
      });
    }
  });

  test('on the stream does not spoil the next call', async () => {
    let spoil = true;
    await using bench = agentBench({
      onReply: (command, reply) => (spoil && command.execute === 'guest-ping' ? Buffer.from('nonsense\n{}\n') : reply),
    });
    await expect(bench.agent.ping()).rejects.toMatchObject({ code: 'WARMVM_HOST_PROTOCOL' });
    spoil = false;
    await expect(bench.agent.hostName()).resolves.toBe('memory');
  });

  test('of any kind leads to a typed error or to a result, for every call', async () => {
    const names = Object.keys(CALLS);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.json(), async (name, json) => {
        const clock = new VirtualClock();
        const agent = createGuestAgent(constantChannel(`{"return":${json}}`), { clock });
        const failure: unknown = await drive(clock, CALLS[name]!(agent), 100_000).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(failure === undefined || isWarmvmError(failure)).toBe(true);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('made by changing bytes of real answers leads to a typed error or to a result, and leaves no timer', async () => {
    const mutation = fc.record({ at: fc.nat(200), byte: fc.nat(255), insert: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.nat(6), async (mutations, skipped) => {
        let answers = 0;
        await using bench = agentBench({
          onReply(_, reply) {
            answers += 1;
            return answers <= skipped ? reply : mutate(reply, mutations);
          },
        });
        bench.memory.files.set('/file', Buffer.alloc(300_000, 'x'));
        bench.memory.programs.set('/bin/true', () => ({ stdout: 'yes\n' }));
        for (const call of [CALLS.exec!, CALLS.readFile!]) {
          const failure: unknown = await bench.drive(call(bench.agent)).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          expect(failure === undefined || isWarmvmError(failure)).toBe(true);
        }
        await turns(bench.clock);
        expect(bench.clock.pendingTimers).toBe(0);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

function mutate(reply: Uint8Array, mutations: readonly { at: number; byte: number; insert: boolean }[]): Uint8Array {
  const bytes = [...reply];
  for (const { at, byte, insert } of mutations) bytes.splice(at % bytes.length, insert ? 0 : 1, byte);
  return Buffer.from(bytes);
}
