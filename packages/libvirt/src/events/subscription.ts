import { LibvirtError } from '../error.ts';

/** Events a subscription holds for a consumer that is busy. */
export const subscriptionCapacity = 1024;

/** Bytes, as they came over the wire, of the events a subscription holds: a single one may take 4 MiB. */
export const subscriptionMaxBytes = 16_777_216;

/**
 * A stream of events. Read it with `for await`, by one consumer; leaving the loop disposes it.
 *
 * At most 1024 events, and 16 MiB of them, wait for the consumer. When more come, the subscription ends: those that wait
 * are still delivered, then the iteration throws `LIBVIRT_OVERFLOW`, since later events make no sense after a gap:
 * subscribe again, list, go on. When the connection is lost the iteration throws its error, after `close()` it just ends.
 */
export interface Subscription<Event> extends AsyncIterable<Event>, AsyncDisposable {
  /** Waits for the next event. */
  next(): Promise<IteratorResult<Event, undefined>>;
}

interface Held<Event> {
  readonly event: Event;
  readonly lengthBytes: number;
}

interface Waiter<Event> {
  readonly resolve: (result: IteratorResult<Event, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** The bounded queue behind a {@link Subscription}. */
export class EventQueue<Event> implements Subscription<Event>, AsyncIterator<Event, undefined> {
  readonly #events: Held<Event>[] = [];
  readonly #waiters: Waiter<Event>[] = [];
  readonly #onEnd: () => Promise<void>;
  readonly #onGone: () => void;
  #heldBytes = 0;
  #isEnded = false;
  #error: { readonly reason: unknown } | undefined;
  #released: Promise<void> | undefined;

  /**
   * @param onEnd Leaves the registration; called once, and not when the connection is gone. It must not reject.
   * @param onGone Called instead when the connection is gone.
   */
  constructor(onEnd: () => Promise<void>, onGone: () => void = () => {}) {
    this.#onEnd = onEnd;
    this.#onGone = onGone;
  }

  /** Whether it takes no more events. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Adds an event that took `lengthBytes` on the wire; ignored after the end. */
  push(event: Event, lengthBytes = 0): void {
    if (this.#isEnded) return;
    const waiter = this.#waiters.shift();
    if (waiter) {
      waiter.resolve({ done: false, value: event });
      return;
    }
    if (this.#events.length >= subscriptionCapacity || this.#heldBytes + lengthBytes > subscriptionMaxBytes) {
      this.overflow();
      return;
    }
    this.#heldBytes += lengthBytes;
    this.#events.push({ event, lengthBytes });
  }

  /** Ends the subscription because events had to be dropped. */
  overflow(): void {
    const message = `more than ${subscriptionCapacity} events (or ${subscriptionMaxBytes} bytes of them) waited to be read; some are lost, subscribe again`;
    this.fail(new LibvirtError('LIBVIRT_OVERFLOW', message, { retryable: true }));
  }

  /** Ends the subscription with an error, which follows the events that wait. */
  fail(reason: unknown): void {
    this.#finish({ reason });
    void this.#release();
  }

  /** The connection is gone: ends with its error, or just ends after a close of this side. */
  onConnectionEnd(error: LibvirtError | undefined): void {
    this.#finish(error && { reason: error });
    if (this.#released !== undefined) return;
    this.#released = Promise.resolve();
    this.#onGone();
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    const held = this.#events.shift();
    if (held) {
      this.#heldBytes -= held.lengthBytes;
      return Promise.resolve({ done: false, value: held.event });
    }
    if (this.#error) return Promise.reject(this.#error.reason);
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    await this[Symbol.asyncDispose]();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#finish(undefined);
    this.#events.length = this.#heldBytes = 0;
    this.#error = undefined;
    return this.#release();
  }

  #finish(error: { readonly reason: unknown } | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      if (error) reject(error.reason);
      else resolve({ done: true, value: undefined });
    }
  }

  #release(): Promise<void> {
    this.#released ??= this.#onEnd();
    return this.#released;
  }
}
