import { expect, test } from 'vitest';
import { retryableDispose } from './retryable-dispose.ts';

test('callers share a run that is under way', async () => {
  let runs = 0;
  let finish = (): void => {};
  const dispose = retryableDispose(() => {
    runs += 1;
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const both = Promise.all([dispose(), dispose()]);
  finish();
  await both;
  expect(runs).toBe(1);
});

test('success is remembered', async () => {
  let runs = 0;
  const dispose = retryableDispose(async () => {
    runs += 1;
  });
  await dispose();
  await dispose();
  expect(runs).toBe(1);
});

test('a rejection reaches every caller that shares the run, and the next call tries again', async () => {
  let runs = 0;
  const dispose = retryableDispose(async () => {
    runs += 1;
    if (runs === 1) throw new Error('device or resource busy');
  });
  const first = await Promise.allSettled([dispose(), dispose()]);
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await dispose();
  await dispose();
  expect(runs).toBe(2);
});

test('a caller may repeat at once in its handler of the rejection', async () => {
  let runs = 0;
  const dispose = retryableDispose(async () => {
    runs += 1;
    if (runs === 1) throw new Error('busy');
  });
  await dispose().catch(() => dispose());
  expect(runs).toBe(2);
});

test('a synchronous throw is a rejection, and may be repeated', async () => {
  let runs = 0;
  const dispose = retryableDispose(() => {
    runs += 1;
    if (runs === 1) throw new Error('a fault');
    return Promise.resolve();
  });
  await expect(dispose()).rejects.toThrow('a fault');
  await dispose();
  expect(runs).toBe(2);
});
