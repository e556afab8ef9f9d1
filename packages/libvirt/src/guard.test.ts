import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { waitWithin } from './guard.ts';
import { settle } from './testing/scripted-daemon.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const wait = { signal: undefined, timeoutMs: 100, what: 'waiting' };

test('a promise in time gives its value or error and leaves no timer', async () => {
  const clock = new VirtualClock();
  expect(await waitWithin(clock, wait, Promise.resolve(1))).toBe(1);
  const problem = new Error('no');
  await expect(waitWithin(clock, wait, Promise.reject(problem))).rejects.toBe(problem);
  expect(clock.pending).toBe(0);
});

test('a promise that is late is named', async () => {
  const clock = new VirtualClock();
  const waiting = waitWithin(clock, wait, new Promise(() => {}));
  clock.advance(100);
  await expect(waiting).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT', message: 'waiting took longer than 100 ms' });
});

test('an aborted signal rejects with its reason, and a later failure of the promise is no surprise', async () => {
  const reason = new Error('not wanted');
  const failing = Promise.reject(new Error('no'));
  const limits = { ...wait, signal: AbortSignal.abort(reason) };
  await expect(waitWithin(new VirtualClock(), limits, failing)).rejects.toBe(reason);
  await settle();
});

test('the system clock calls back, and not when cancelled', async () => {
  const before = systemClock.now();
  const cancelled = systemClock.setTimer(() => expect.unreachable(), 0, { hold: false });
  cancelled.cancel();
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 0));
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
});
