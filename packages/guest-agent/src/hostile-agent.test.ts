import { type Duplex, duplexPair } from 'node:stream';
import { isWarmvmError, sleep } from '@warmvm/core/driver';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import type { AgentRequestOptions } from './channel.ts';
import { drive } from './fixtures/agent-bench.ts';
import { createGuestAgent, type GuestAgent } from './guest-agent.ts';
import { streamChannel } from './stream-channel.ts';

const MIB = 1_048_576;
/** Much more than any answer is allowed to be, and little enough for a test. */
const MUCH_BYTES = 24 * MIB;
const PIECE_BYTES = 65_536;
/** Processor time of host and guest together; a quadratic host takes minutes. */
const MOST_CPU_MS = 5000;
const MOST_MEMORY_BYTES = 160 * MIB;

interface Command {
  readonly execute: string;
  readonly arguments: { readonly id?: number; readonly count?: number };
}
type Answer = string | Iterable<string>;
/** What a guest says to a command; undefined for what an honest one says. */
type Behaviour = (command: Command) => Answer | undefined;

function* repeated(text: string, totalBytes = MUCH_BYTES): Generator<string> {
  const piece = text.repeat(Math.max(1, Math.floor(PIECE_BYTES / text.length)));
  for (let sent = 0; sent < totalBytes; sent += piece.length) yield piece;
}

function* around(before: string, text: string, after: string, totalBytes = MUCH_BYTES): Generator<string> {
  yield before;
  yield* repeated(text, totalBytes);
  yield after;
}

function honest({ execute, arguments: { id, count = 0 } }: Command): string {
  const values: Readonly<Record<string, unknown>> = {
    'guest-sync-delimited': id,
    'guest-exec': { pid: 7 },
    'guest-exec-status': { exited: true, exitcode: 0 },
    'guest-file-open': 5,
    'guest-file-read': { count: 0, 'buf-b64': '', eof: true },
    'guest-file-write': { count },
  };
  const delimiter = execute === 'guest-sync-delimited' ? '\xff' : '';
  return `${delimiter}${JSON.stringify({ return: values[execute] ?? {} })}\n`;
}

const to =
  (name: string, answer: (command: Command) => Answer): Behaviour =>
  (command) =>
    command.execute === name ? answer(command) : undefined;
const sync = (answer: () => Answer): Behaviour => to('guest-sync-delimited', answer);
const ping = (answer: () => Answer): Behaviour => to('guest-ping', answer);
const status = (answer: () => Answer): Behaviour => to('guest-exec-status', answer);
const read = (answer: (command: Command) => Answer): Behaviour => to('guest-file-read', answer);

const pinged = (agent: GuestAgent): Promise<unknown> => agent.ping();
const ran = (agent: GuestAgent): Promise<unknown> => agent.exec(['/bin/x']);
const fetched = (agent: GuestAgent): Promise<unknown> => agent.readFile('/x', { maxBytes: MIB });

type Case = readonly [what: string, behaviour: Behaviour, call: (agent: GuestAgent) => Promise<unknown>, code: string];

const CASES: readonly Case[] = [
  ['begins one sync after the other', sync(() => repeated('\xff\n')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['sends delimiters without end', sync(() => repeated('\xff')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['syncs with wrong numbers', sync(() => repeated('\xff{"return":1}\n')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['syncs with what is almost JSON', sync(() => repeated('\xff{"return":{{{\n')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['syncs with refusals', sync(() => repeated('{"error":{"desc":"x"}}\n')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['sends empty lines', ping(() => repeated('\n')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['sends blank lines', ping(() => repeated(' \r\n')), pinged, 'WARMVM_GUEST_UNRESPONSIVE'],
  ['never ends its line', ping(() => repeated('x')), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['nests without end', ping(() => around('', '[', '\n', MIB - PIECE_BYTES)), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['nests objects', ping(() => around('', '{"a":', '\n', MIB / 2)), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['lists without end', ping(() => around('{"return":[', '{},', '{}]}\n', MIB / 2)), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['lists numbers', ping(() => around('{"return":[', '1,', '1]}\n', MIB / 2)), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['escapes without end', ping(() => around('{"return":"', '\\"', '\n', MIB / 2)), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['sends one answer of much', ping(() => around('{"return":"', 'x', '"}\n')), pinged, 'WARMVM_HOST_PROTOCOL'],
  ['adds bytes that nobody asked for', ping(() => around('{"return":{}}\n', '{}\n', '')), pinged, 'fulfilled'],
  [
    'says more of its output than it has',
    status(() => around('{"return":{"exited":true,"exitcode":3,"out-data":"', 'eHh4', '"}}\n')),
    ran,
    'fulfilled',
  ],
  [
    'gives fields names without end',
    status(() => around('{"return":{"', 'x', '":1,"exited":true,"exitcode":3}}\n')),
    ran,
    'fulfilled',
  ],
  ['never lets a program end', status(() => '{"return":{"exited":false}}\n'), ran, 'WARMVM_GUEST_EXEC_FAILED'],
  ['starts process 1', to('guest-exec', () => '{"return":{"pid":1}}\n'), ran, 'fulfilled'],
  ['starts process 0', to('guest-exec', () => '{"return":{"pid":0}}\n'), ran, 'WARMVM_HOST_PROTOCOL'],
  [
    'reads more than it was asked for',
    read(() => around('{"return":{"count":1,"eof":false,"buf-b64":"', 'eHh4', '"}}\n')),
    fetched,
    'WARMVM_HOST_PROTOCOL',
  ],
  [
    'reads nothing, again and again',
    read(() => '{"return":{"count":0,"eof":false,"buf-b64":""}}\n'),
    fetched,
    'WARMVM_HOST_PROTOCOL',
  ],
  [
    'has a file without end',
    read(({ arguments: { count = 0 } }) => {
      const base64 = Buffer.alloc(count).toString('base64');
      return `{"return":{"count":${count},"eof":false,"buf-b64":"${base64}"}}\n`;
    }),
    fetched,
    'WARMVM_GUEST_EXEC_FAILED',
  ],
];

/** Says it as fast as the host takes it. */
async function say(guest: Duplex, answer: Answer): Promise<void> {
  for (const piece of typeof answer === 'string' ? [answer] : answer) {
    if (guest.destroyed) return;
    if (!guest.write(Buffer.from(piece, 'latin1')) && !guest.destroyed) {
      await new Promise<void>((resolve) => {
        guest.once('drain', resolve).once('close', resolve);
      });
    }
  }
}

describe('a hostile agent that', () => {
  test.each(CASES)('%s costs bounded time and memory', async (_what, behaviour, call, expected) => {
    const clock = new VirtualClock();
    const [host, guest] = duplexPair();
    await using channel = streamChannel(host, { clock });
    let saying = Promise.resolve();
    let unread = '';
    guest.on('error', () => {}).setMaxListeners(0);
    guest.on('data', (chunk: Buffer) => {
      const lines = (unread + chunk.toString('latin1')).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) {
        const command = { arguments: {}, ...JSON.parse(line.replaceAll('\xff', '')) } as Command;
        saying = saying.then(() => say(guest, behaviour(command) ?? honest(command)));
      }
    });
    const before = { cpu: process.cpuUsage(), bytes: usedBytes() };
    let mostBytes = 0;
    const watch = setInterval(() => {
      mostBytes = Math.max(mostBytes, usedBytes() - before.bytes);
    }, 1);
    const outcome = await drive(clock, call(createGuestAgent(channel, { clock })), 200_000, 2000).then(
      () => 'fulfilled',
      (reason: unknown) => (isWarmvmError(reason) ? reason.code : reason),
    );
    guest.destroy();
    await saying;
    clearInterval(watch);
    const { user, system } = process.cpuUsage(before.cpu);
    expect(outcome).toBe(expected);
    expect((user + system) / 1000).toBeLessThan(MOST_CPU_MS);
    expect(mostBytes).toBeLessThan(MOST_MEMORY_BYTES);
    expect(clock.pendingTimers).toBe(0);
  });

  test('gives one byte with each answer is given up after the time for the whole file', async () => {
    const clock = new VirtualClock();
    let answers = 0;
    const channel = {
      async request(json: string, { signal }: AgentRequestOptions): Promise<string> {
        signal?.throwIfAborted();
        if (!json.includes('guest-file-read')) return '{"return":5}';
        answers += 1;
        await sleep(clock, 1000);
        return '{"return":{"count":1,"eof":false,"buf-b64":"eA=="}}';
      },
    };
    const call = createGuestAgent(channel, { clock }).readFile('/x', { timeoutMs: 60_000 });
    await expect(drive(clock, call, 200_000)).rejects.toMatchObject({
      code: 'WARMVM_GUEST_UNRESPONSIVE',
      details: { timeoutMs: 60_000, timedOut: true },
    });
    expect(answers).toBeLessThan(100);
  });

  test('floods its channel leaves turns of the loop to others', async () => {
    const clock = new VirtualClock();
    const [host, guest] = duplexPair();
    await using channel = streamChannel(host, { clock });
    const pinging = channel.request('{"execute":"guest-ping"}', { timeoutMs: 1000 }).catch(() => {});
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      if (!host.destroyed) setImmediate(turn);
    };
    setImmediate(turn);
    guest.on('error', () => {});
    // All of it at once: it is the host that must stop reading.
    guest.write(Buffer.alloc(80 * MIB, '\xff\n', 'latin1'));
    await pinging;
    expect(turns).toBeGreaterThan(60);
  });
});

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
