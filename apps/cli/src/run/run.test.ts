import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, WarmvmError } from '@warmvm/core';
import { createFakeDriver, createFakeHost, type FaultScript, fakeImage } from '@warmvm/driver-fake';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../exit-codes.ts';
import { openOwnSource } from '../place/own-pool.ts';
import { parseCopy } from './copies.ts';
import { type RunRequest, type RunStreams, runInMachine } from './run.ts';
import { StageTimes } from './stage-times.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-run-'));
});
afterEach(() => rm(folder, { recursive: true }));

const NOTHING = { fd: -1, [Symbol.asyncIterator]: (): AsyncIterator<Uint8Array> => (async function* () {})() };

async function run(
  request: Partial<RunRequest>,
  streams: Partial<RunStreams> = {},
  signal = new AbortController().signal,
  faults: FaultScript = () => undefined,
) {
  const host = createFakeHost();
  const maker = { create: () => createFakeDriver({ host, faults }), image: () => fakeImage() };
  const settings = { drivers: [{ use: 'fake' }], image: 'tiny', pool: {}, configPath: undefined, folder };
  const source = await openOwnSource(settings, { signal, say: () => {}, load: async () => maker });
  const written = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const times = new StageTimes(systemClock);
  try {
    const outcome = await runInMachine(
      source,
      {
        command: ['true'],
        environment: {},
        workingDirectory: undefined,
        timeoutMs: undefined,
        copyIn: [],
        copyOut: [],
        interactive: false,
        ...request,
      },
      {
        input: NOTHING,
        async write(bytes, stream) {
          written[stream] = Buffer.concat([written[stream], bytes]);
        },
        ...streams,
      },
      times,
      signal,
    );
    return { outcome, written, times: times.durationsMs() };
  } finally {
    await source[Symbol.asyncDispose]();
    expect(host.objects().total).toBe(0);
  }
}

describe('a run', () => {
  test('hands over the output and the exit code of the program, and says how long each stage took', async () => {
    const { outcome, written, times } = await run({ command: ['echo', 'hi'] });
    expect(outcome).toMatchObject({ exitCode: 0, result: { exitCode: 0, signal: null }, error: undefined });
    expect(written.stdout.toString()).toBe('hi\n');
    expect(Object.keys(times)).toEqual(['lend', 'copyIn', 'command', 'copyOut', 'giveBack']);
  });

  test('passes on a failure of the program as its own exit code', async () => {
    expect((await run({ command: ['false'] })).outcome).toMatchObject({ exitCode: 1, error: undefined });
  });

  test('carries binary files in and out, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256));
    await writeFile(join(folder, 'in'), bytes);
    const { written } = await run({
      command: ['cat', '/tmp/in'],
      copyIn: [parseCopy('--copy-in', join(folder, 'in'), '/tmp')],
      copyOut: [parseCopy('--copy-out', `/tmp/in:${join(folder, 'out')}`, '.')],
    });
    expect(written.stdout.equals(bytes)).toBe(true);
    expect((await readFile(join(folder, 'out'))).equals(bytes)).toBe(true);
  });

  test('hands the variables and the input on', async () => {
    const path = join(folder, 'input');
    await writeFile(path, 'from a file\n');
    await using file = await open(path);
    const input = { ...NOTHING, fd: file.fd };
    expect((await run({ command: ['cat'] }, { input })).written.stdout.toString()).toBe('from a file\n');
    const { written } = await run({ command: ['env'], environment: { COLOUR: 'blue' } });
    expect(written.stdout.toString()).toContain('COLOUR=blue');
  });

  test.each([
    ['no such program', { command: ['nonesuch'] }, EXIT.notFound],
    ['no such file to copy in', { copyIn: [{ from: '/nonexistent/a', to: '/tmp/a' }] }, EXIT.trouble],
    ['no such file to copy out', { copyOut: [{ from: '/tmp/none', to: 'none' }] }, EXIT.trouble],
    ['too slow', { command: ['sleep', '60'], timeoutMs: 5 }, EXIT.timeout],
  ])('with %s comes to an exit code of ours, with the error', async (_what, request, exitCode) => {
    const { outcome } = await run(request);
    expect(outcome.exitCode).toBe(exitCode);
    expect(outcome.error).toBeInstanceOf(Error);
  });

  test('keeps the exit code of a command that failed, also when a file cannot be copied out', async () => {
    const { outcome } = await run({ command: ['false'], copyOut: [{ from: '/tmp/none', to: join(folder, 'none') }] });
    expect(outcome).toMatchObject({
      exitCode: 1,
      result: { exitCode: 1 },
      error: { code: 'WARMVM_GUEST_EXEC_FAILED' },
    });
  });

  test('carries a file of many pieces in and out, with its mode, and leaves nothing half written', async () => {
    const bytes = Buffer.alloc(20_000_000, 'warmvm ');
    await writeFile(join(folder, 'in'), bytes);
    const copyOut = [
      { from: '/tmp/in', to: join(folder, 'out') },
      { from: '/tmp/none', to: join(folder, 'none') },
    ];
    const { outcome } = await run({ copyIn: [{ from: join(folder, 'in'), to: '/tmp/in' }], copyOut });
    expect(outcome.exitCode).toBe(EXIT.trouble);
    expect((await readFile(join(folder, 'out'))).equals(bytes)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['in', 'out']);
  });

  test('reads a file from where others have stopped reading it', async () => {
    await writeFile(join(folder, 'lines'), 'one\ntwo\nthree\n');
    await using file = await open(join(folder, 'lines'));
    await file.read(Buffer.alloc(4), 0, 4);
    const input = { ...NOTHING, fd: file.fd };
    expect((await run({ command: ['cat'] }, { input })).written.stdout.toString()).toBe('two\nthree\n');
    expect((await run({ command: ['cat'] }, { input })).written.stdout.toString()).toBe('');
  });

  test.each([
    ['nothing', '/dev/null', ''],
    ['a device', '/dev/zero', 'streamed'],
  ])('takes %s for its input', async (_what, path, expected) => {
    await using file = await open(path);
    const stream = async function* (): AsyncGenerator<string> {
      yield 'streamed';
    };
    const input = { fd: file.fd, [Symbol.asyncIterator]: stream };
    expect((await run({ command: ['cat'] }, { input })).written.stdout.toString()).toBe(expected);
  });

  test('refuses a folder as input', async () => {
    await using file = await open(folder);
    const { outcome } = await run({ command: ['cat'] }, { input: { ...NOTHING, fd: file.fd } });
    expect(outcome.error).toMatchObject({ message: expect.stringContaining('standard input is a folder') });
  });

  test('ends with its command, whatever its input does', async () => {
    const endless = (): AsyncIterator<string> => ({ next: () => new Promise(() => {}) });
    const input = { fd: 0, isTTY: true, [Symbol.asyncIterator]: endless };
    expect((await run({ command: ['echo', 'hi'], interactive: true }, { input })).outcome.exitCode).toBe(0);
  });

  test.each([
    ['at once where trying again is of no use', false, 1],
    ['after three attempts else', true, 3],
  ])('whose machine cannot be made ends with the reason, %s', async (_what, retryable, attempts) => {
    const error = new WarmvmError('WARMVM_FORK_FAILED', 'no room', { retryable });
    let forks = 0;
    const faults: FaultScript = ({ operation }) => {
      if (operation !== 'fork') return undefined;
      forks += 1;
      return { reject: error };
    };
    await expect(run({}, {}, undefined, faults)).rejects.toMatchObject({ code: 'WARMVM_FORK_FAILED' });
    expect(forks).toBe(attempts);
  });

  test('is given up with its machine', async () => {
    const interruption = new AbortController();
    const reason = new Error('interrupted');
    const running = run(
      { command: ['sleep', '60'] },
      { onMachine: () => interruption.abort(reason) },
      interruption.signal,
    );
    await expect(running).rejects.toBe(reason);
  });

  test('keeps its machine for as long as it is asked to, and tells the program’s exit code after that', async () => {
    let alive: unknown;
    const { outcome } = await run(
      { command: ['false'] },
      {
        async keep({ guest }) {
          alive = (await guest.exec(['echo', 'still'])).exitCode;
        },
      },
    );
    expect([outcome.exitCode, alive]).toEqual([1, 0]);
  });

  test('whose output nobody takes ends with what the writer threw', async () => {
    const gone = new WarmvmError('WARMVM_HOST_OPERATION', 'nobody reads');
    const { outcome } = await run({ command: ['echo', 'hi'] }, { write: async () => Promise.reject(gone) });
    expect(outcome.exitCode).toBe(EXIT.trouble);
  });
});
