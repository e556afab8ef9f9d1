import type { Clock, Timer } from '../driver/clock.ts';
import { LONGEST_TIMER_MS } from '../validation/check.ts';

interface Caller {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Callers that wait for one thing to come true; while there are any, the process is kept alive. */
export class ReadyGate {
  readonly #clock: Clock;
  readonly #callers = new Set<Caller>();
  #hold: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#callers.size;
  }

  /** @throws what {@link reject} is given; the signal's reason */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => caller.reject(signal?.reason);
      const leave = (): void => {
        this.#callers.delete(caller);
        signal?.removeEventListener('abort', onAbort);
        if (this.#callers.size > 0) return;
        this.#hold?.cancel();
        this.#hold = undefined;
      };
      const caller: Caller = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#callers.add(caller);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#hold ??= this.#clock.setTimer(() => {}, LONGEST_TIMER_MS);
    });
  }

  resolve(): void {
    for (const caller of this.#callers) caller.resolve();
  }

  reject(error: unknown): void {
    for (const caller of this.#callers) caller.reject(error);
  }
}
