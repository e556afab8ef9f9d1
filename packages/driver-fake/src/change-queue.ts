import type { MachineChange } from '@warmvm/core/driver';

interface Waiter {
  readonly resolve: (result: IteratorResult<MachineChange, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

const DONE: IteratorResult<MachineChange, undefined> = { done: true, value: undefined };

/** One watcher's line: holds at most the newest change that was not taken yet. */
export class ChangeQueue implements AsyncIterator<MachineChange, undefined> {
  #pending: MachineChange | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #ended = false;
  #waiters: Waiter[] = [];
  readonly #onEnd: () => void;

  /** `onEnd` is called once, when no change can come any more. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Puts a change in the place of one that was not taken; does nothing after the end. */
  push(change: MachineChange): void {
    if (this.#ended) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#pending = change;
    else waiter.resolve({ done: false, value: change });
  }

  /** No change comes after this; one that waits is still given. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE);
    this.#onEnd();
  }

  /** Ends with an error that the next `next` throws; changes that wait are void. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#pending = undefined;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#failure = { reason };
    else waiter.reject(reason);
    this.end();
  }

  next(): Promise<IteratorResult<MachineChange, undefined>> {
    if (this.#pending !== undefined) {
      const value = this.#pending;
      this.#pending = undefined;
      return Promise.resolve({ done: false, value });
    }
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<MachineChange, undefined>> {
    this.#pending = undefined;
    this.#failure = undefined;
    this.end();
    return Promise.resolve(DONE);
  }
}
