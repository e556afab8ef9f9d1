import { PassThrough } from 'node:stream';
import { VirtualClock } from '@warmvm/core/testing';
import { expect, test } from 'vitest';
import { runInterruptibly } from './interruptible.ts';

test('a second Ctrl-C ends the process at once; one key that arrives twice does not', async () => {
  const clock = new VirtualClock();
  const ended: number[] = [];
  const { promise, resolve } = Promise.withResolvers<number>();
  const output = { write: () => {}, writeError: () => {} };
  const running = runInterruptibly(output, () => promise, { clock, exit: (exitCode) => ended.push(exitCode) });
  process.emit('SIGINT');
  process.emit('SIGINT');
  process.emit('SIGTERM');
  expect(ended).toEqual([]);
  await clock.advance(1_000);
  process.emit('SIGTERM');
  expect(ended).toEqual([]);
  process.emit('SIGINT');
  expect(ended).toEqual([130]);
  resolve(0);
  await running;
});

test('the end of a lifeline interrupts, and what is left of it is let go of', async () => {
  const said: string[] = [];
  const output = { write: () => {}, writeError: (text: string) => said.push(text) };
  const lifeline = new PassThrough();
  const work = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const running = runInterruptibly(output, work, { lifeline, words: 'draining' });
  lifeline.write('nobody reads this');
  await new Promise(setImmediate);
  expect(said).toEqual([]);
  lifeline.end();
  expect(await running).toBe(130);
  expect(said).toEqual(['\ndraining\n']);
  const other = new PassThrough();
  expect(await runInterruptibly(output, async () => 0, { lifeline: other })).toBe(0);
  expect(other.destroyed).toBe(true);
});
