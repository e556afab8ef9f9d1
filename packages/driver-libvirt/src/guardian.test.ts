import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test, vi } from 'vitest';
import { QuickClock } from './fixtures/quick-clock.ts';
import { Guardian, type GuardianChoices } from './guardian.ts';
import { type GuardianOrders, guardianModule, startGuardianProcess } from './guardian-process.ts';

const orders: GuardianOrders = { uri: 'qemu:///system', storagePool: 'warmvm', storagePath: '/pool', giveUpMs: 30_000 };

/** The guardian's process, played by a test. */
class PlayedProcess extends EventEmitter {
  readonly pid = 1;
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly told: string[] = [];
  exitCode: number | null = null;
  signalCode: string | null = null;
  answer: string | undefined = 'ready\n';

  constructor() {
    super();
    this.stdin.on('data', (data: Buffer) => {
      for (const line of data.toString().trimEnd().split('\n')) this.#hear(line);
    });
    this.stdin.on('end', () => this.end(0));
  }

  ref(): void {}

  end(exitCode: number): void {
    if (this.exitCode !== null) return;
    this.exitCode = exitCode;
    this.emit('exit', exitCode, null);
  }

  #hear(line: string): void {
    this.told.push(line);
    if (line !== 'farewell' && this.answer !== undefined) this.stdout.write(this.answer);
  }
}

function played({ answer = 'ready\n', ...choices }: Partial<GuardianChoices> & { readonly answer?: string } = {}): {
  guardian: Guardian;
  started: PlayedProcess[];
  given: GuardianOrders[];
  clock: QuickClock;
} {
  const [started, given, clock] = [[] as PlayedProcess[], [] as GuardianOrders[], new QuickClock()];
  const guardian = new Guardian(orders, clock, {
    ...choices,
    start(told) {
      given.push(told);
      const child = new PlayedProcess();
      child.answer = answer;
      started.push(child);
      return child as unknown as ChildProcess;
    },
  });
  return { guardian, started, given, clock };
}

describe('a guardian', () => {
  test('is started with the first instance, and told of each once', async () => {
    const { guardian, started, given } = played();
    expect(started).toHaveLength(0);
    await guardian.watchOver('one');
    await guardian.watchOver('two');
    await guardian.watchOver('one');
    expect(started.map(({ told }) => told)).toEqual([['one', 'two']]);
    expect(given).toEqual([orders]);
  });

  test('gives each of several who ask at once its own answer', async () => {
    const { guardian, started } = played();
    await Promise.all(['one', 'two', 'one', 'three'].map((instance) => guardian.watchOver(instance)));
    expect(started.map(({ told }) => told)).toEqual([['one', 'two', 'three']]);
  });

  test('is asked one thing at a time, so that no answer is taken for another', async () => {
    const { guardian, started, clock } = played();
    await guardian.watchOver('one');
    const [child] = started;
    child!.answer = undefined;
    const watching = Promise.all([guardian.watchOver('two'), guardian.watchOver('three')]);
    await clock.virtual.settle();
    expect(child!.told).toEqual(['one', 'two']);
    child!.answer = 'ready\n';
    child!.stdout.write('ready\n');
    await watching;
    expect(child!.told).toEqual(['one', 'two', 'three']);
  });

  test('that was killed is replaced, and its successor told of everything', async () => {
    const { guardian, started } = played();
    await guardian.watchOver('one');
    started[0]!.end(1);
    await guardian.watchOver('two');
    expect(started.map(({ told }) => told)).toEqual([['one'], ['one', 'two']]);
    started[1]!.end(1);
    await guardian.watchOver('one');
    expect(started).toHaveLength(3);
  });

  test.each([
    ['answers something else', 'what?\n', 'what?'],
    ['dies', undefined, 'ended with exit code 1'],
  ])('that %s is a failure that may pass', async (_what, answer, said) => {
    const { guardian, started, clock } = played();
    await guardian.watchOver('one');
    started[0]!.answer = answer;
    const watching = expect(guardian.watchOver('two')).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      message: expect.stringContaining(said),
    });
    await clock.virtual.settle();
    if (answer === undefined) started[0]!.end(1);
    await watching;
    expect(clock.virtual.pendingTimers).toBe(0);
  });

  test('that does not answer is waited for no longer than ten seconds', async () => {
    const { guardian, started, clock } = played();
    await guardian.watchOver('one');
    started[0]!.answer = undefined;
    const watching = expect(guardian.watchOver('two')).rejects.toMatchObject({
      message: expect.stringContaining('no answer in time'),
    });
    await clock.advance(10_000);
    await watching;
  });

  test('that could not be started is a failure', async () => {
    const start = (): ChildProcess =>
      Object.assign(new EventEmitter(), { stdin: null, stdout: null }) as unknown as ChildProcess;
    const guardian = new Guardian(orders, new QuickClock(), { start });
    await expect(guardian.watchOver('one')).rejects.toMatchObject({ message: expect.stringContaining('no pipe') });
  });

  const refusal = (code: string): string =>
    `${JSON.stringify({ code, message: 'the key is encrypted', retryable: false, problem: 'passphrase-missing' })}\n`;

  test('that the host does not let in is a failure that says so', async () => {
    const { guardian, started } = played();
    await guardian.watchOver('one');
    started[0]!.answer = refusal('WARMVM_HOST_DENIED');
    await expect(guardian.watchOver('two')).rejects.toMatchObject({
      code: 'WARMVM_HOST_DENIED',
      retryable: false,
      message: expect.stringContaining('the key is encrypted'),
      details: { problem: 'passphrase-missing', remedy: expect.stringContaining('options.guardian') },
    });
    expect(started[0]!.exitCode).toBeNull();
  });

  test('that is optional is gone on without, which this process warns of once', async () => {
    const { guardian, started } = played({ isOptional: true, answer: refusal('WARMVM_HOST_DENIED') });
    const warnings: Error[] = [];
    const take = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', take);
    try {
      await Promise.all([guardian.watchOver('one'), guardian.watchOver('two')]);
      await guardian.watchOver('three');
      await new Promise(setImmediate);
    } finally {
      process.off('warning', take);
    }
    expect(warnings).toMatchObject([{ code: 'WARMVM_NO_GUARDIAN', message: expect.stringContaining('is encrypted') }]);
    expect(started.map(({ told, exitCode }) => [told, exitCode])).toEqual([[['one', 'farewell'], 0]]);
  });

  test('that is optional is not gone on without for a host that is only away', async () => {
    const { guardian } = played({ isOptional: true, answer: refusal('WARMVM_HOST_UNREACHABLE') });
    await expect(guardian.watchOver('one')).rejects.toMatchObject({ code: 'WARMVM_HOST_UNREACHABLE' });
  });

  test('that one caller no longer waits for serves the others all the same', async () => {
    const { guardian, started } = played();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const left = guardian.watchOver('one', controller.signal);
    const stayed = guardian.watchOver('one');
    controller.abort(reason);
    await expect(left).rejects.toBe(reason);
    await stayed;
    await expect(guardian.watchOver('two', controller.signal)).rejects.toBe(reason);
    expect(started.map(({ told }) => told)).toEqual([['one']]);
  });

  test('is dismissed with a farewell, and its end waited for', async () => {
    const { guardian, started } = played();
    await guardian.dismiss();
    await guardian.watchOver('one');
    await guardian.dismiss();
    expect(started[0]!.told).toEqual(['one', 'farewell']);
    expect(started[0]!.exitCode).toBe(0);
    await guardian.dismiss();
  });

  test('is released without one', async () => {
    const { guardian, started } = played();
    guardian.release();
    await guardian.watchOver('one');
    const ended = once(started[0]!, 'exit');
    guardian.release();
    await ended;
    expect(started[0]!.told).toEqual(['one']);
  });
});

describe('the guardian’s process', () => {
  test('takes note, and ends at a farewell without touching a host', async () => {
    const clock = new QuickClock();
    const guardian = new Guardian({ ...orders, uri: 'qemu:///nowhere' }, clock);
    await guardian.watchOver('one');
    await Promise.all([guardian.watchOver('two'), guardian.watchOver('three')]);
    await guardian.dismiss();
  });

  test('that hangs when it is dismissed is killed after five seconds', async () => {
    const { guardian, started, clock } = played();
    await guardian.watchOver('one');
    const [child] = started;
    const kills: unknown[] = [];
    child!.stdin.removeAllListeners('end');
    Object.assign(child!, { kill: (signal: string) => kills.push(signal), unref: () => {} });
    const dismissing = guardian.dismiss();
    await clock.advance(5_000);
    await dismissing;
    expect(kills).toEqual(['SIGKILL']);
  });

  test('that a caller leaves is not waited for', async () => {
    const { guardian, started, clock } = played();
    await guardian.watchOver('one');
    started[0]!.answer = undefined;
    const reason = new Error('no longer wanted');
    const controller = new AbortController();
    const left = guardian.watchOver('two', controller.signal);
    await clock.virtual.settle();
    controller.abort(reason);
    await expect(left).rejects.toBe(reason);
  });
});

describe('a program without the guardian’s file', () => {
  const broken = (module: URL): Guardian =>
    new Guardian(orders, systemClock, { start: (told) => startGuardianProcess(told, module) });

  test('is told so at once, with the way out', async () => {
    await expect(broken(new URL('file:///nowhere/guardian.js')).watchOver('one')).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      retryable: false,
      message: expect.stringMatching(/nowhere.*external to the bundle/),
    });
  });

  test('gets the last line of one that ends before it answers, and does not try again', async () => {
    const guardian = broken(new URL('./fixtures/guardian-that-fails.ts', import.meta.url));
    await expect(guardian.watchOver('one')).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining('Error: a file is missing'),
    });
  });

  test('inherits nothing that is meant for another Node', async () => {
    vi.stubEnv('NODE_OPTIONS', '--require ./only-in-the-folder-of-the-parent.cjs');
    const guardian = broken(guardianModule(import.meta.url, '@warmvm/driver-libvirt'));
    await guardian.watchOver('one');
    await guardian.dismiss();
    vi.unstubAllEnvs();
  });
});
