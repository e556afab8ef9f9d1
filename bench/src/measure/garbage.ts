import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** Collections of this process while something was measured. */
export interface GarbageCollections {
  readonly count: number;
  readonly durationMs: number;
}

/** Counts garbage collections from its making until it is stopped. */
export class GarbageWatch {
  #count = 0;
  #durationMs = 0;
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Ends the count. */
  async stop(): Promise<void> {
    // Node hands a collection over in the turn of the event loop that follows it.
    await setImmediate();
    this.#take(this.#observer.takeRecords());
    this.#observer.disconnect();
  }

  get collections(): GarbageCollections {
    return { count: this.#count, durationMs: Math.round(this.#durationMs * 1000) / 1000 };
  }

  #take(entries: readonly { readonly duration: number }[]): void {
    this.#count += entries.length;
    for (const { duration } of entries) this.#durationMs += duration;
  }
}
