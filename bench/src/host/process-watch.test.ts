import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '@warmvm/core';
import { expect, test } from 'vitest';
import { startProcessWatch } from './process-watch.ts';

test('a killed process is seen gone, in the times of our clock', async () => {
  const victim = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  const died = once(victim, 'exit');
  await using watch = startProcessWatch(systemClock);
  const before = systemClock.now();
  const { killedAt, goneAt } = await watch.kill(victim.pid!);
  const after = systemClock.now();
  expect(await died).toEqual([null, 'SIGKILL']);
  expect(killedAt).toBeGreaterThan(before);
  expect(goneAt).toBeGreaterThanOrEqual(killedAt);
  expect(goneAt).toBeLessThan(after);
});
