import type { Clock } from './clock.ts';
import { LibvirtError } from './error.ts';

/** Longest delay a timer of Node can hold. */
const maxTimerMs = 2_147_483_647;

/** How long a caller is willing to wait. */
export interface WaitOptions {
  /** Gives the wait up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until it rejects with `LIBVIRT_TIMEOUT`; `Infinity` for no deadline. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Checks a duration in milliseconds.
 * @throws RangeError when it is not a positive number (or, where allowed, `Infinity`).
 */
export function checkDurationMs(name: string, value: number, allowInfinity = true): number {
  if (allowInfinity && value === Number.POSITIVE_INFINITY) return value;
  if (typeof value !== 'number' || !(value > 0) || value > maxTimerMs) {
    throw new RangeError(`${name} must be a positive number of milliseconds up to ${maxTimerMs}, got ${value}`);
  }
  return value;
}

/**
 * Calls `onTimeout` or `onAbort` once, whichever comes first, unless the returned function is called before; that
 * leaves no timer and no listener behind. The signal must not be aborted yet.
 */
export function watchWait(
  clock: Clock,
  wait: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number },
  giveUp: (reason: unknown, isTimeout: boolean) => void,
): () => void {
  const { signal, timeoutMs } = wait;
  const stop = (): void => {
    timer?.cancel();
    signal?.removeEventListener('abort', onAbort);
  };
  const onAbort = (): void => {
    stop();
    giveUp(signal?.reason, false);
  };
  const timer =
    timeoutMs === Number.POSITIVE_INFINITY
      ? undefined
      : clock.setTimer(() => {
          stop();
          giveUp(undefined, true);
        }, timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  return stop;
}

/**
 * Waits for a promise within limits; the promise itself goes on.
 * @throws the signal's reason, or LibvirtError `LIBVIRT_TIMEOUT` naming `what`.
 */
export function waitWithin<Value>(
  clock: Clock,
  wait: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number; readonly what: string },
  promise: Promise<Value>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (wait.signal?.aborted) {
      reject(wait.signal.reason);
      promise.catch(() => {});
      return;
    }
    const stop = watchWait(clock, wait, (reason, isTimeout) => {
      reject(isTimeout ? timeoutError(wait.what, wait.timeoutMs) : reason);
    });
    promise.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}

/** The error of a deadline that passed. */
export function timeoutError(what: string, timeoutMs: number): LibvirtError {
  return new LibvirtError('LIBVIRT_TIMEOUT', `${what} took longer than ${timeoutMs} ms`, { retryable: true });
}
