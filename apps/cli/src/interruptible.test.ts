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
