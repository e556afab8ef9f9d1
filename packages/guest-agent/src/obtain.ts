import { setDeadline } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';

/**
 * Waits for something that the guest must be rid of again. When `signal` is aborted first, the thing is released as soon as it
 * is there, and the call rejects with the reason once that is done or after the caller's `cleanupTimeoutMs`, whichever is first.
 */
export function obtain<T>(
  caller: AgentCaller,
  begin: () => Promise<T>,
  release: (thing: T) => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const beginning = begin();
    let abandoned = false;
    const onAbort = (): void => {
      abandoned = true;
      const giveUp = (): void => reject(signal?.reason);
      const timer = setDeadline(caller.clock, giveUp, caller.cleanupTimeoutMs);
      const done = (): void => {
        timer.cancel();
        giveUp();
      };
      beginning.then(release).then(done, done);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    beginning.then(
      (thing) => {
        signal?.removeEventListener('abort', onAbort);
        if (!abandoned) resolve(thing);
      },
      (error: unknown) => {
        signal?.removeEventListener('abort', onAbort);
        if (!abandoned) reject(error);
      },
    );
  });
}
