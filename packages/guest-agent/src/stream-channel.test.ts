import { duplexPair } from 'node:stream';
import { type Clock, WarmvmError } from '@warmvm/core/driver';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { agentBench, drive, turns } from './fixtures/agent-bench.ts';
import { failure, PING, scriptedLine } from './fixtures/scripted-line.ts';
import { streamChannel } from './stream-channel.ts';

describe('a stream channel', () => {
  test('gets in step before the first command, and only then sends it', async () => {
    const line = scriptedLine();
    const reply = line.channel.request(PING, { timeoutMs: 100 });
    const first = await line.written();
    expect(first).toMatch(/^\xff\{"execute":"guest-sync-delimited","arguments":\{"id":\d+\}\}\n$/);
    await line.answer(`\xff{"return": ${/\d+/.exec(first)?.[0]}}\n`);
    expect(await line.written()).toBe(`${PING}\n`);
    await line.answer('{"return": {}}\n');
    expect(await reply).toBe('{"return": {}}');
  });

  test('stays in step for the next command', async () => {
    await using bench = agentBench();
    await bench.channel.request(PING, { timeoutMs: 100 });
    await bench.channel.request(PING, { timeoutMs: 100 });
    expect(bench.memory.received).toEqual(['guest-sync-delimited', 'guest-ping', 'guest-ping']);
  });

  test('reads answers that come byte by byte', async () => {
    await using bench = agentBench({ pieceBytes: 1 });
    expect(await bench.channel.request(PING, { timeoutMs: 100 })).toBe('{"return":{}}');
  });

  test('has one command on its way at a time, in the order they were given', async () => {
    const line = scriptedLine();
    const replies = Promise.all(
      ['{"execute":"a"}', '{"execute":"b"}'].map((json) => line.channel.request(json, { timeoutMs: 100 })),
    );
    await line.sync();
    expect(await line.written()).toBe('{"execute":"a"}\n');
    await line.answer('{"return": 1}\n');
    expect(await line.written()).toBe('{"execute":"b"}\n');
    await line.answer('{"return": 2}\n');
    expect(await replies).toEqual(['{"return": 1}', '{"return": 2}']);
  });

  test('believes an answer that came while this process stood still, and waits again for one that did not', async () => {
    const virtual = new VirtualClock();
    let stalledMs = 0;
    const clock: Clock = {
      now: () => virtual.now() + stalledMs,
      wallTimeMs: () => virtual.wallTimeMs(),
      setTimer: (callback, delayMs) => virtual.setTimer(callback, delayMs),
    };
    const line = scriptedLine({ clock });
    const answered = line.channel.request(PING, { timeoutMs: 5000 });
    await line.sync();
    await line.written();
    stalledMs = 20_000;
    // Node fires its timers before it reads what has arrived meanwhile.
    await virtual.advance(5000);
    await line.answer('{"return": {}}\n');
    expect(await answered).toBe('{"return": {}}');
    const silent = failure(line.channel.request(PING, { timeoutMs: 5000 }));
    stalledMs = 40_000;
    await virtual.advance(9999);
    expect(virtual.pendingTimers).toBe(1);
    await virtual.advance(1);
    expect(await silent).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE' });
  });

  test('never takes a late answer for the answer to the next command', async () => {
    const line = scriptedLine();
    const first = failure(line.channel.request('{"execute":"a"}', { timeoutMs: 100 }));
    await line.sync();
    await line.written();
    await line.clock.advance(100);
    expect(await first).toMatchObject({
      code: 'WARMVM_GUEST_UNRESPONSIVE',
      retryable: true,
      details: { timeoutMs: 100, stage: 'reply', sent: true },
    });
    const second = line.channel.request('{"execute":"b"}', { timeoutMs: 100 });
    await line.answer('{"return": "late"}\n');
    await line.sync();
    await line.written();
    await line.answer('{"return": "own"}\n');
    expect(await second).toBe('{"return": "own"}');
  });

  test('says that a command was never sent when the agent does not get in step', async () => {
    const line = scriptedLine();
    const calls = [100, 50].map((timeoutMs) => failure(line.channel.request(PING, { timeoutMs })));
    await line.clock.advance(100);
    expect(await calls[0]).toMatchObject({ details: { stage: 'sync', sent: false } });
    expect(await calls[1]).toMatchObject({ details: { stage: 'queued', sent: false } });
    expect(await line.written()).not.toContain('guest-ping');
  });

  test('gets in step anew when something came that nobody asked for', async () => {
    await using bench = agentBench();
    const host = bench.memory.connect();
    await using channel = streamChannel(host, { clock: bench.clock });
    await channel.request(PING, { timeoutMs: 100 });
    host.push('{"return": "unasked"}\n');
    await turns(bench.clock);
    expect(await channel.request(PING, { timeoutMs: 100 })).toBe('{"return":{}}');
    expect(bench.memory.received.filter((name) => name === 'guest-sync-delimited')).toHaveLength(2);
  });

  test('gets in step anew after an answer with something behind it', async () => {
    const line = scriptedLine();
    const first = line.channel.request(PING, { timeoutMs: 100 });
    await line.sync();
    await line.written();
    await line.answer('{"return": 1}\n{"return": 2}\n');
    expect(await first).toBe('{"return": 1}');
    const second = line.channel.request(PING, { timeoutMs: 100 });
    await line.sync();
    await line.written();
    await line.answer('{"return": 3}\n');
    expect(await second).toBe('{"return": 3}');
  });

  test('refuses to begin where more than the answer to the sync came', async () => {
    const line = scriptedLine();
    const call = failure(line.channel.request(PING, { timeoutMs: 100 }));
    const id = /"id":(\d+)/.exec(await line.written())?.[1];
    await line.answer(`\xff{"return": ${id}}\n{"return": {}}\n`);
    expect(await call).toMatchObject({ code: 'WARMVM_HOST_PROTOCOL' });
  });

  test('rejects an answer over the bound and goes on', async () => {
    const line = scriptedLine({ maxReplyBytes: 1024 });
    const first = failure(line.channel.request(PING, { timeoutMs: 100 }));
    await line.sync();
    await line.written();
    await line.answer('x'.repeat(1100));
    expect(await first).toMatchObject({
      code: 'WARMVM_HOST_PROTOCOL',
      details: { malformed: 'reply too long', limitBytes: 1024 },
    });
    const second = line.channel.request(PING, { timeoutMs: 100 });
    await line.answer('xx\n');
    await line.sync();
    await line.written();
    await line.answer('{"return": {}}\n');
    expect(await second).toBe('{"return": {}}');
  });

  test('cuts off a guest that never stops talking', async () => {
    const line = scriptedLine({ maxReplyBytes: 1024 });
    for (let sent = 0; sent <= 4096; sent += 512) await line.answer('x'.repeat(512));
    const call = failure(line.channel.request(PING, { timeoutMs: 100 }));
    expect(await call).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: false, details: { lost: true } });
  });

  test('writes no second sync while the first waits to be read', async () => {
    const clock = new VirtualClock();
    const [host] = duplexPair({ highWaterMark: 16 });
    await using channel = streamChannel(host, { clock });
    const lengths: number[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await failure(drive(clock, channel.request(PING, { timeoutMs: 100 }), 1000));
      lengths.push(host.writableLength);
    }
    expect(lengths[4]).toBe(lengths[1]);
    expect(lengths[4]).toBeGreaterThan(0);
  });
});

describe('an abort', () => {
  test('rejects with the reason itself, in the sync, on the way and in the queue', async () => {
    const line = scriptedLine();
    const reason = new Error('enough');
    const abortAfter = async (steps: () => Promise<unknown>): Promise<unknown> => {
      const controller = new AbortController();
      const call = failure(line.channel.request(PING, { timeoutMs: 1000, signal: controller.signal }));
      await steps();
      controller.abort(reason);
      return call;
    };
    expect(await abortAfter(line.written)).toBe(reason);
    expect(await abortAfter(line.sync)).toBe(reason);
    void failure(line.channel.request(PING, { timeoutMs: 1000 }));
    expect(await abortAfter(async () => {})).toBe(reason);
  });

  test('before the call sends nothing', async () => {
    await using bench = agentBench();
    const call = bench.channel.request(PING, { timeoutMs: 100, signal: AbortSignal.abort('no') });
    await expect(call).rejects.toBe('no');
    expect(bench.memory.received).toEqual([]);
  });

  test('leaves no listener and no timer behind, and neither does an answer', async () => {
    await using bench = agentBench();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await bench.channel.request(PING, { timeoutMs: 100, signal });
    expect(listeners).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe('a lost stream', () => {
  test('rejects all that wait, and all that come', async () => {
    const line = scriptedLine();
    const calls = [1, 2].map(() => failure(line.channel.request(PING, { timeoutMs: 100 })));
    line.guest.end();
    await turns(line.clock);
    calls.push(failure(line.channel.request(PING, { timeoutMs: 100 })));
    for (const call of calls) {
      expect(await call).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: false });
    }
    expect(line.clock.pendingTimers).toBe(0);
  });

  test('keeps the error it broke with as the cause', async () => {
    const clock = new VirtualClock();
    const [host] = duplexPair();
    const channel = streamChannel(host, { clock });
    const call = failure(channel.request(PING, { timeoutMs: 100 }));
    const cause = new Error('reset by peer');
    host.destroy(cause);
    expect(await call).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', cause });
  });

  test('rejects with the WarmvmError that the stream was destroyed with', async () => {
    const [host] = duplexPair();
    const channel = streamChannel(host, { clock: new VirtualClock() });
    const gone = new WarmvmError('WARMVM_MACHINE_GONE', 'gone');
    const call = failure(channel.request(PING, { timeoutMs: 100 }));
    host.destroy(gone);
    expect(await call).toBe(gone);
  });

  test('may be lost before the channel is made', async () => {
    const [host] = duplexPair();
    host.destroy();
    const channel = streamChannel(host, { clock: new VirtualClock() });
    expect(await failure(channel.request(PING, { timeoutMs: 100 }))).toMatchObject({ details: { lost: true } });
  });

  test('is what dispose makes of it, once and again', async () => {
    const line = scriptedLine();
    const call = failure(line.channel.request(PING, { timeoutMs: 100 }));
    await line.channel[Symbol.asyncDispose]();
    await line.channel[Symbol.asyncDispose]();
    expect(await call).toMatchObject({ details: { lost: true } });
    await line.answer('{}\n');
  });
});

test('a bad bound is refused at once', () => {
  const [host] = duplexPair();
  expect(() => streamChannel(host, { maxReplyBytes: 10 })).toThrow(RangeError);
});
