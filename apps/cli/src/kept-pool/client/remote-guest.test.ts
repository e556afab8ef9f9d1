import { describe, expect, test } from 'vitest';
import { keptSource } from '../../place/kept-source.ts';
import { keptPool } from '../fixtures/kept-pool.ts';
import { INPUT_WINDOW_BYTES, MOST_WRITE_BYTES } from '../protocol/limits.ts';
import { connectPool } from './find-pool.ts';

const signal = new AbortController().signal;

async function lent(options: Parameters<typeof keptPool>[0] = {}) {
  const kept = await keptPool(options);
  const connection = await connectPool('default', signal, kept.place);
  if (connection === undefined) throw new Error('the pool is not found');
  const source = keptSource(connection);
  const machine = await source.lend({ signal });
  return {
    kept,
    source,
    machine,
    guest: machine.guest,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await kept[Symbol.asyncDispose]();
    },
  };
}

describe('the guest of a machine that another process keeps', () => {
  test('runs programs, and hands their output over with the result or as it comes', async () => {
    await using own = await lent();
    const result = await own.guest.exec(['echo', 'hi']);
    expect([result.exitCode, Buffer.from(result.stdout).toString()]).toEqual([0, 'hi\n']);
    const pieces: string[] = [];
    const streamed = await own.guest.exec(['echo', 'ho'], {
      onOutput: (bytes, stream) => void pieces.push(`${stream} ${Buffer.from(bytes)}`),
    });
    expect(pieces).toEqual(['stdout ho\n']);
    expect(streamed.stdout).toHaveLength(0);
    expect((await own.guest.exec(['false'])).exitCode).toBe(1);
  });

  test('takes input beyond every window, and gives it back, byte for byte', async () => {
    await using own = await lent();
    const input = Buffer.from(Array.from({ length: INPUT_WINDOW_BYTES * 3 + 5 }, (_, index) => index % 251));
    const pieces: Uint8Array[] = [];
    const onOutput = async (bytes: Uint8Array): Promise<void> => void pieces.push(bytes);
    await own.guest.exec(['cat'], { stdin: input, onOutput });
    expect(Buffer.concat(pieces).equals(input)).toBe(true);
    const source = (async function* () {
      for (let at = 0; at < input.length; at += 10_000) yield input.subarray(at, at + 10_000);
    })();
    const result = await own.guest.exec(['cat'], { stdin: source });
    expect(Buffer.from(result.stdout).equals(input)).toBe(true);
  });

  test('carries files that are longer than one call holds', async () => {
    await using own = await lent();
    const content = Buffer.from(Array.from({ length: MOST_WRITE_BYTES + 17 }, (_, index) => index % 253));
    await own.guest.writeFile('/tmp/long', content);
    expect(Buffer.from(await own.guest.readFile('/tmp/long')).equals(content)).toBe(true);
    await own.guest.writeFile('/tmp/long', '');
    await own.guest.writeFile('/tmp/long', 'end', { append: true });
    expect(Buffer.from(await own.guest.readFile('/tmp/long')).toString()).toBe('end');
    await expect(own.guest.readFile('/tmp/long', { maxBytes: 2 })).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
    });
  });

  test('rejects with the code and the facts of what went wrong there', async () => {
    await using own = await lent();
    await expect(own.guest.exec(['nonesuch'])).rejects.toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
    await expect(own.guest.exec(['sleep', '60'], { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { reason: 'timeout' },
    });
    await own.guest.ping();
    expect(await own.guest.timeMs()).toBeGreaterThan(0);
  });

  test('gives a call up with the reason of the signal, and is there for the next', async () => {
    await using own = await lent();
    const giveUp = new AbortController();
    const running = own.guest.exec(['sleep', '60'], { signal: giveUp.signal });
    const reason = new Error('enough');
    giveUp.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect((await own.guest.exec(['true'])).exitCode).toBe(0);
  });

  test('ends a program whose output nobody takes, or whose input cannot be read', async () => {
    await using own = await lent();
    const full = new Error('full');
    await expect(own.guest.exec(['echo', 'a'], { onOutput: () => Promise.reject(full) })).rejects.toBe(full);
    const broken = new Error('broken');
    const stdin = (async function* () {
      yield 'a';
      throw broken;
    })();
    await expect(own.guest.exec(['cat'], { stdin })).rejects.toBe(broken);
    expect((await own.guest.exec(['true'])).exitCode).toBe(0);
  });

  test('is gone with the pool, and says so', async () => {
    await using own = await lent();
    const running = expect(own.guest.exec(['sleep', '60'])).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    await own.kept.pool.close();
    await running;
    await expect(own.guest.ping()).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
    expect(own.machine.signal.aborted).toBe(true);
  });
});

describe('a source of machines that another process keeps', () => {
  test('lends several, each of its own, and gives all back when it ends', async () => {
    await using own = await lent();
    const second = await own.kept.pool.acquire();
    expect(second.machineId).not.toBe(own.machine.machineId);
    await second.release();
    await own.machine.giveBack();
    expect(own.kept.pool.stats().counters.released).toBe(2);
  });
});
