import { type Clock, setDeadline, type Timer } from '@warmvm/core/driver';

/** A signal that is aborted by the caller's signal, with its reason, or when the time is over. */
export class TimeLimit {
  readonly #controller: AbortController = new AbortController();
  readonly #timer: Timer;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer?.reason);
  #expired = false;

  constructor(clock: Clock, timeoutMs: number, outer?: AbortSignal) {
    this.#outer = outer;
    const expire = (): void => {
      this.#expired = !this.#controller.signal.aborted;
      this.#controller.abort(new Error(`${timeoutMs} ms are over`));
    };
    this.#timer = setDeadline(clock, expire, timeoutMs);
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True for the reason that the signal has because the time was over. */
  ended(reason: unknown): boolean {
    return this.#expired && reason === this.#controller.signal.reason;
  }

  release(): void {
    this.#timer.cancel();
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }
}
