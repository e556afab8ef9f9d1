import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuestAgent } from '@warmvm/guest-agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostAgent, startHostAgent } from './support/host-agent.ts';

let host: HostAgent;
let agent: GuestAgent;

beforeAll(async () => {
  host = await startHostAgent();
  ({ agent } = host);
});

afterAll(() => host?.[Symbol.asyncDispose]());

const left = async (): Promise<{ names: string[]; open: number }> => ({
  names: (await readdir('/tmp')).filter((name) => [...host.execNames].some((own) => name.startsWith(own))),
  open: await host.openFilesBelow('/tmp/warmvm-exec-'),
});

const NOTHING = { names: [], open: 0 };

/** Something that happens later. */
function occasion(): { happened: Promise<void>; happen: () => void } {
  let happen: () => void = () => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}

describe('a program that the real agent streams', () => {
  test('is heard while it runs, and spoken to', async () => {
    const heard = [occasion(), occasion()];
    let text = '';
    async function* stdin(): AsyncGenerator<string> {
      yield 'one\n';
      await heard[0]?.happened;
      yield 'two\n';
      await heard[1]?.happened;
    }
    const result = await agent.exec(['cat'], {
      stdin: stdin(),
      onOutput: (bytes) => {
        text += Buffer.from(bytes).toString();
        if (text === 'one\n') heard[0]?.happen();
        if (text === 'one\ntwo\n') heard[1]?.happen();
      },
    });
    expect([result.exitCode, text]).toEqual([0, 'one\ntwo\n']);
    expect(host.execNames.size).toBe(1);
    expect(await left()).toEqual(NOTHING);
  });

  test('keeps its streams apart, tells its end, and hands over every byte of much output', async () => {
    const sizes = { stdout: 0, stderr: 0 };
    const script = 'head -c 3000000 /dev/zero; echo oh >&2; exit 3';
    const result = await agent.exec(['sh', '-c', script], {
      onOutput: (bytes, stream) => {
        sizes[stream] += bytes.length;
      },
    });
    expect([sizes, result.exitCode]).toEqual([{ stdout: 3_000_000, stderr: 3 }, 3]);
    expect(await left()).toEqual(NOTHING);
  });

  test('gets input faster than it reads, without a byte lost or doubled', async () => {
    const sent = randomBytes(300_000);
    async function* stdin(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < sent.length; offset += 70_001) yield sent.subarray(offset, offset + 70_001);
    }
    // It sleeps while the pipe fills.
    const result = await agent.exec(['sh', '-c', 'sleep 0.4; exec cat'], { stdin: stdin() });
    expect(Buffer.from(result.stdout).equals(sent)).toBe(true);
    expect(await left()).toEqual(NOTHING);
  });

  test('gets bytes that are too long for one command through a file', async () => {
    const sent = randomBytes(5_000_000);
    const result = await agent.exec(['cat'], { stdin: sent, maxOutputBytes: 6_000_000 });
    expect(Buffer.from(result.stdout).equals(sent)).toBe(true);
    expect(await left()).toEqual(NOTHING);
  });

  test('ends before its input does', async () => {
    async function* stdin(): AsyncGenerator<string> {
      yield 'x'.repeat(200_000);
      await new Promise(() => {});
    }
    const result = await agent.exec(['head', '-c', '3'], { stdin: stdin() });
    expect(Buffer.from(result.stdout).toString()).toBe('xxx');
    expect(await left()).toEqual(NOTHING);
  });

  test('gets no input that ends before it looks for any', async () => {
    async function* stdin(): AsyncGenerator<string> {}
    const result = await agent.exec(['sh', '-c', 'sleep 0.2; cat; echo end'], { stdin: stdin() });
    expect(Buffer.from(result.stdout).toString()).toBe('end\n');
    expect(await left()).toEqual(NOTHING);
  });

  test('starts in its folder, with arguments and environment as they are', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'work $(id) '));
    try {
      const command = ['sh', '-c', 'pwd; echo "$1" "$A"', 'sh', `a' "b" $(c)`];
      const result = await agent.exec(command, { workingDirectory: folder, environment: { A: '$HOME' } });
      expect(Buffer.from(result.stdout).toString()).toBe(`${folder}\na' "b" $(c) $HOME\n`);
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(await left()).toEqual(NOTHING);
  });

  test('sees its own variables, and none of the shell that started it', async () => {
    const environment = { f: 'hello', i: '42', d: 'day' };
    const command = ['sh', '-c', 'echo "$f $i $d"'];
    for (const more of [{}, { workingDirectory: '/' }]) {
      const { stdout } = await agent.exec(command, { environment, ...more });
      expect(Buffer.from(stdout).toString()).toBe('hello 42 day\n');
    }
  });

  test('is heard on both streams while it floods one', async () => {
    const controller = new AbortController();
    const reason = new Error('heard');
    const running = agent.exec(['sh', '-c', '(sleep 0.1; echo oh >&2) & exec head -c 2000000000 /dev/zero'], {
      signal: controller.signal,
      onOutput: (_bytes, stream) => {
        if (stream === 'stderr') controller.abort(reason);
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(await left()).toEqual(NOTHING);
  });

  test.each([
    ['no program', '/nonexistent/program', 'there is no program'],
    ['a file that may not be executed', '/etc/passwd', 'is not a file that may be executed'],
    ['a folder', '/etc', 'is not a file that may be executed'],
  ])('is refused in the same words by every way: %s', async (_, program, words) => {
    for (const options of [{}, { onOutput: () => {} }, { workingDirectory: '/' }]) {
      await expect(agent.exec([program], options)).rejects.toMatchObject({
        code: 'WARMVM_GUEST_EXEC_FAILED',
        message: expect.stringContaining(words),
        details: { program, started: false },
      });
    }
  });

  test.each([
    ['no program', ['/nonexistent/program'], '/'],
    ['no folder', ['true'], '/nonexistent'],
  ])('is refused for %s, and leaves nothing', async (_, command, workingDirectory) => {
    await expect(agent.exec(command, { workingDirectory, onOutput: () => {} })).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      message: expect.stringMatching(/nonexistent/),
    });
    expect(await left()).toEqual(NOTHING);
  });

  test('is killed when it is given up, whatever it waits for', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    async function* stdin(): AsyncGenerator<string> {
      yield 'x';
      await new Promise(() => {});
    }
    const running = agent.exec(['cat'], {
      stdin: stdin(),
      signal: controller.signal,
      onOutput: () => controller.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    expect(await left()).toEqual(NOTHING);
  });
});
