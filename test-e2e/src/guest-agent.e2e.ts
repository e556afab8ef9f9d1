import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isWarmvmError } from '@warmvm/core/driver';
import type { GuestAgent, StreamChannel } from '@warmvm/guest-agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostAgent, startHostAgent } from './support/host-agent.ts';

// The agent runs on this very machine: nothing here may set the time, freeze file systems or shut down.

let host: HostAgent;
let channel: StreamChannel;
let agent: GuestAgent;
let folder: string;

beforeAll(async () => {
  host = await startHostAgent();
  ({ channel, agent, folder } = host);
});

afterAll(() => host?.[Symbol.asyncDispose]());

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) Z /.test(status);
}

describe('the real guest agent', () => {
  test('answers a ping', async () => {
    await expect(agent.ping()).resolves.toBeUndefined();
  });

  test('says its version and its commands', async () => {
    const info = await agent.info();
    expect(info.version).toMatch(/^\d+\.\d+/);
    expect(info.commands).toContainEqual({ name: 'guest-exec', enabled: true });
  });

  test('tells time, host name and operating system', async () => {
    expect(Math.abs((await agent.timeMs()) - Date.now())).toBeLessThan(5000);
    expect(await agent.hostName()).not.toBe('');
    expect((await agent.osInfo()).kernelRelease).toMatch(/^\d+\./);
    expect(await agent.fsFreezeStatus()).toBe('thawed');
  });

  test('is in step again after a call was aborted', async () => {
    const aborted = agent.readFile('/proc/self/environ', { signal: AbortSignal.timeout(0) });
    await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await agent.info()).version).toMatch(/^\d+\./);
  });

  test('recovers when the channel is told that answers make no sense', async () => {
    channel.resync();
    await agent.ping();
  });
});

describe('exec on the real guest agent', () => {
  test('passes arguments as they are', async () => {
    const result = await agent.exec(['/usr/bin/printf', '%s|', 'a b', '$HOME', '"', 'ü']);
    expect(text(result.stdout)).toBe('a b|$HOME|"|ü|');
    expect(result).toMatchObject({ exitCode: 0, signal: null, stdoutTruncated: false });
  });

  test('finds a program through PATH', async () => {
    expect((await agent.exec(['true'])).exitCode).toBe(0);
  });

  test('passes standard input, also when the answer is long', async () => {
    const stdin = Buffer.alloc(700_000, 'x');
    const result = await agent.exec(['/bin/cat'], { stdin });
    expect(Buffer.compare(result.stdout, stdin)).toBe(0);
  });

  test('adds to the environment and keeps what was there', async () => {
    const inherited = text((await agent.exec(['env'])).stdout).split('\n');
    const result = await agent.exec(['env'], { environment: { WARMVM_COLOUR: 'red=1\n2' } });
    const variables = text(result.stdout);
    expect(variables).toContain('WARMVM_COLOUR=red=1\n2\n');
    for (const variable of inherited.filter((line) => line.startsWith('PATH='))) expect(variables).toContain(variable);
  });

  test('tells exit code and standard error', async () => {
    const result = await agent.exec(['/bin/ls', '/does/not/exist']);
    expect(result.exitCode).toBe(2);
    expect(text(result.stderr)).toContain('/does/not/exist');
    expect(result.stdout).toHaveLength(0);
  });

  test('tells the signal that ended a program', async () => {
    const result = await agent.exec(['/bin/sh', '-c', 'kill -SEGV $$']);
    expect(result).toMatchObject({ exitCode: null, signal: 11 });
  });

  test('cuts output at the bound and says so', async () => {
    const result = await agent.exec(['/usr/bin/head', '-c', '3000000', '/dev/zero']);
    expect(result.stdout).toHaveLength(1_048_576);
    expect(result).toMatchObject({ stdoutTruncated: true, stderrTruncated: false });
  });

  test('cuts output that the agent itself had to cut, and keeps the exit code', async () => {
    const script = 'head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; exit 3';
    const result = await agent.exec(['/bin/sh', '-c', script]);
    expect([result.stdout.length, result.stderr.length]).toEqual([1_048_576, 1_048_576]);
    expect(result).toMatchObject({ exitCode: 3, stdoutTruncated: true, stderrTruncated: true });
    await agent.ping();
  });

  test('says which program does not exist', async () => {
    const call = agent.exec(['/does/not/exist']);
    await expect(call).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { program: '/does/not/exist', class: 'GenericError' },
    });
  });

  test('kills what does not end in time', async () => {
    const pidFile = join(folder, 'timeout-pid');
    const script = 'echo $$ >"$1"; exec sleep 600';
    const error: unknown = await agent
      .exec(['/bin/sh', '-c', script, 'sh', pidFile], { timeoutMs: 500 })
      .catch((reason: unknown) => reason);
    expect(isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')).toBe(true);
    expect(error).toMatchObject({ details: { timedOut: true, killed: true } });
    expect(await isRunning(Number(await readFile(pidFile, 'utf8')))).toBe(false);
  });

  test('kills what is aborted and rejects with the reason itself', async () => {
    const pidFile = join(folder, 'abort-pid');
    const controller = new AbortController();
    const script = 'echo $$ >"$1"; exec sleep 600';
    const call = agent.exec(['/bin/sh', '-c', script, 'sh', pidFile], { signal: controller.signal });
    const settled = call.catch((reason: unknown) => reason);
    while (!(await readFile(pidFile, 'utf8').catch(() => '')).endsWith('\n')) await delay(10);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await settled).toBe(reason);
    expect(await isRunning(Number(await readFile(pidFile, 'utf8')))).toBe(false);
  });
});

describe('files through the real guest agent', () => {
  test('are written and read back, in many chunks', async () => {
    const path = join(folder, 'large file ü');
    const content = Buffer.alloc(2_000_003, 'warmvm ');
    await agent.writeFile(path, content);
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    expect(Buffer.compare(await agent.readFile(path), content)).toBe(0);
    expect(await host.openFilesBelow(path)).toBe(0);
  });

  test('are replaced, and appended to when asked', async () => {
    const path = join(folder, 'short');
    await writeFile(path, 'something longer');
    await agent.writeFile(path, 'one\n');
    await agent.writeFile(path, 'two\n', { append: true });
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  });

  test('may be empty', async () => {
    const path = join(folder, 'empty');
    await agent.writeFile(path, '');
    expect(await agent.readFile(path)).toHaveLength(0);
  });

  test('that are too long are refused, those that just fit are not', async () => {
    const path = join(folder, 'bound');
    await writeFile(path, Buffer.alloc(100));
    expect(await agent.readFile(path, { maxBytes: 100 })).toHaveLength(100);
    await expect(agent.readFile(path, { maxBytes: 99 })).rejects.toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
    expect(await host.openFilesBelow(path)).toBe(0);
  });

  test('that do not exist are named', async () => {
    const call = agent.readFile('/does/not/exist');
    await expect(call).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { command: 'guest-file-open', description: expect.stringContaining('/does/not/exist') },
    });
  });

  test('are closed when the call is aborted in the middle', async () => {
    const path = '/dev/zero';
    const controller = new AbortController();
    const options = { signal: controller.signal, maxBytes: 2 ** 30 };
    const call = agent.readFile(path, options).catch((reason: unknown) => reason);
    while ((await host.openFilesBelow(path)) === 0) await delay(1);
    controller.abort('stop');
    expect(await call).toBe('stop');
    expect(await host.openFilesBelow(path)).toBe(0);
  });
});
