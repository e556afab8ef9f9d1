import { AssertionError } from 'node:assert';
import type { Clock, Timer } from '@warmvm/core/driver';

/**
 * What the promise comes to, if it comes in time.
 * @throws AssertionError when it is not settled after `limitMs`; `what` says what should have happened
 * @throws the signal's reason when that is aborted first
 */
export async function settledWithin<Result>(
  clock: Clock,
  limitMs: number,
  what: string,
  promise: PromiseLike<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  let timer: Timer | undefined;
  let onAbort = (): void => {};
  const over = new Promise<never>((_, reject) => {
    timer = clock.setTimer(() => {
      reject(new AssertionError({ message: `${what}: not settled after ${Math.round(limitMs)} ms` }));
    }, limitMs);
    onAbort = () => reject(signal?.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    timer?.cancel();
    signal?.removeEventListener('abort', onAbort);
    // Whoever was left waiting may still reject; nobody listens any more.
    Promise.resolve(promise).catch(() => {});
    over.catch(() => {});
  }
}
