import assert from 'node:assert/strict';
import type { ExecOptions, Guest } from '@warmvm/core/driver';
import type { KitContext } from './context.ts';

/** Runs a program that must succeed; its output as text without the newline at the end. */
export async function textOf(guest: Guest, command: readonly string[], options: ExecOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec(command, options);
  const said = Buffer.from(stderr).toString().trim();
  assert.equal(exitCode, 0, `${command[0]} in the guest must succeed, it said: ${said}`);
  return Buffer.from(stdout).toString().trimEnd();
}

/** Whether there is such a file in the guest. */
export async function hasFile(guest: Guest, path: string): Promise<boolean> {
  return (await guest.exec(['cat', path])).exitCode === 0;
}

/** 32 bytes of the guest's kernel, as hexadecimal digits. */
export async function draw(guest: Guest): Promise<string> {
  const { stdout } = await guest.exec(['head', '-c', '32', '/dev/urandom']);
  assert.equal(stdout.byteLength, 32, 'the guest must be able to draw 32 random bytes');
  return Buffer.from(stdout).toString('hex');
}

/** How far the guest's clock is from ours, in milliseconds. */
export async function clockError(context: KitContext, guest: Guest): Promise<number> {
  const beforeMs = context.clock.wallTimeMs();
  const guestMs = await guest.timeMs();
  const afterMs = context.clock.wallTimeMs();
  return guestMs < beforeMs ? beforeMs - guestMs : Math.max(0, guestMs - afterMs);
}

/** Lines of the process list that hold the text. */
export async function processesWith(guest: Guest, text: string): Promise<readonly string[]> {
  return (await textOf(guest, ['ps'])).split('\n').filter((line) => line.includes(text));
}

let sleeps = 86_400;

/** A program that runs until it is ended, and how to find it in the process list. */
export interface Sleeper {
  readonly marker: string;
  /** How its exec ended; never rejects by itself. */
  readonly ended: Promise<PromiseSettledResult<unknown>>;
  /** Gives up waiting for it. */
  abort(reason?: unknown): void;
}

/** Starts a program that sleeps for a day, and waits until it shows in the process list. */
export async function startSleeper(context: KitContext, guest: Guest, options: ExecOptions = {}): Promise<Sleeper> {
  sleeps += 1;
  const marker = `sleep ${sleeps}`;
  const controller = new AbortController();
  const running = guest.exec(['sleep', String(sleeps)], { timeoutMs: 600_000, ...options, signal: controller.signal });
  const ended = Promise.allSettled([running]).then(([result]) => result);
  context.defer(async () => {
    controller.abort(new Error('the case is over'));
    await ended;
  });
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await processesWith(guest, marker)).length > 0) {
      return { marker, ended, abort: (reason) => controller.abort(reason) };
    }
    await context.pause(context.scaled(20));
  }
  return assert.fail(`a program that was started must show in the process list: ${marker}`);
}
