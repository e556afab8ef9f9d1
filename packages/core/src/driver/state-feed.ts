import type { MachineChange } from './machine.ts';

interface Watcher {
  pending: MachineChange | undefined;
  wake: (() => void) | undefined;
}

/**
 * The present state of one machine and those who watch it: what a driver needs for `Machine.watch`. Each watcher begins with
 * the present state and then gets the newest change; one that is slow misses those between, and memory stays bounded.
 */
export class StateFeed {
  #present: MachineChange;
  #end: { readonly error: unknown } | 'done' | undefined;
  readonly #watchers = new Set<Watcher>();

  constructor(present: MachineChange) {
    this.#present = present;
  }

  /** The newest change. */
  get present(): MachineChange {
    return this.#present;
  }

  /** Tells every watcher, unless nothing changed or the feed has ended. */
  publish(change: MachineChange): void {
    const { state, generation } = this.#present;
    if (this.#end !== undefined || (change.state === state && change.generation === generation)) return;
    this.#present = change;
    for (const watcher of this.#watchers) {
      watcher.pending = change;
      watcher.wake?.();
    }
  }

  /** No change comes any more; a change that a watcher has not taken yet is still given. */
  end(): void {
    this.#close('done');
  }

  /** Ends with an error that every watcher gets at once. */
  fail(error: unknown): void {
    this.#close({ error });
  }

  /** @throws from the iterator: the error of {@link fail}, or the signal's reason */
  async *watch(signal?: AbortSignal): AsyncGenerator<MachineChange, void, undefined> {
    signal?.throwIfAborted();
    const watcher: Watcher = { pending: this.#present, wake: undefined };
    const wake = (): void => watcher.wake?.();
    this.#watchers.add(watcher);
    signal?.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (typeof this.#end === 'object') throw this.#end.error;
        const change = watcher.pending;
        if (change !== undefined) {
          watcher.pending = undefined;
          yield change;
        } else if (this.#end !== undefined) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            watcher.wake = resolve;
          });
          watcher.wake = undefined;
        }
      }
    } finally {
      signal?.removeEventListener('abort', wake);
      this.#watchers.delete(watcher);
    }
  }

  #close(end: { readonly error: unknown } | 'done'): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const watcher of this.#watchers) watcher.wake?.();
  }
}
