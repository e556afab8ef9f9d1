import { type Channel, channel } from 'node:diagnostics_channel';
import type { Clock } from '../driver/clock.ts';
import type { PoolEvent, PoolEventBody } from './pool-event.ts';

/** Receives every event; may throw, which changes nothing. */
export type EventSink = (event: PoolEvent) => void;

/** Name of the diagnostics channel that carries the events of every pool of the process. */
export const POOL_CHANNEL = 'warmvm:pool';

/** Events one reader may lag behind before the oldest are dropped. */
export const EVENT_BUFFER = 1_024;

/** Hands events to readers, sinks and the diagnostics channel. Costs nothing while nobody listens. */
export class EventHub {
  readonly #pool: string;
  readonly #clock: Clock;
  readonly #sinks: readonly EventSink[];
  readonly #channel: Channel = channel(POOL_CHANNEL);
  readonly #readers = new Set<EventReader>();
  /** Whether there is a reader or a sink. */
  #heard: boolean;
  #closed = false;

  constructor(pool: string, clock: Clock, sinks: readonly EventSink[]) {
    this.#pool = pool;
    this.#clock = clock;
    this.#sinks = sinks;
    this.#heard = sinks.length > 0;
  }

  /** Whether anybody listens: ask before making an event on a path that must be quick. */
  get wanted(): boolean {
    return this.#heard || this.#channel.hasSubscribers;
  }

  emit(body: PoolEventBody): void {
    if (!this.wanted) return;
    const event: PoolEvent = { ...body, pool: this.#pool, atMs: this.#clock.wallTimeMs() };
    for (const reader of this.#readers) reader.push(event);
    for (const sink of this.#sinks) {
      try {
        sink(event);
      } catch {
        // A listener's fault is its own; the pool must not suffer from it.
      }
    }
    if (this.#channel.hasSubscribers) this.#channel.publish(event);
  }

  /** Events from now on; ends when the pool has closed. */
  read(): AsyncIterableIterator<PoolEvent> {
    const reader = new EventReader((ended) => {
      this.#readers.delete(ended);
      this.#heard = this.#sinks.length > 0 || this.#readers.size > 0;
    });
    if (this.#closed) reader.end();
    else {
      this.#readers.add(reader);
      this.#heard = true;
    }
    return reader;
  }

  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

class EventReader implements AsyncIterableIterator<PoolEvent> {
  readonly #onEnd: (reader: EventReader) => void;
  #buffer: PoolEvent[] = [];
  #first = 0;
  #dropped = 0;
  #ended = false;
  #wakes: (() => void)[] = [];

  constructor(onEnd: (reader: EventReader) => void) {
    this.#onEnd = onEnd;
  }

  push(event: PoolEvent): void {
    if (this.#buffer.length - this.#first >= EVENT_BUFFER) {
      this.#first += 1;
      this.#dropped += 1;
      this.#compact();
    }
    this.#buffer.push(event);
    this.#wakeAll();
  }

  end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<PoolEvent> {
    return this;
  }

  async next(): Promise<IteratorResult<PoolEvent>> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined) return { done: false, value: event };
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
  }

  async return(): Promise<IteratorResult<PoolEvent>> {
    this.#buffer = [];
    this.#first = 0;
    this.#dropped = 0;
    this.end();
    this.#onEnd(this);
    return { done: true, value: undefined };
  }

  #wakeAll(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }

  #take(): PoolEvent | undefined {
    const next = this.#buffer[this.#first];
    if (next === undefined) {
      this.#buffer = [];
      this.#first = 0;
      return undefined;
    }
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      return { type: 'events-dropped', count, pool: next.pool, atMs: next.atMs };
    }
    this.#first += 1;
    this.#compact();
    return next;
  }

  /** Drops what was read or is lost, once it is as much as what may be waiting: so a reader that always lags keeps no history. */
  #compact(): void {
    if (this.#first < EVENT_BUFFER) return;
    this.#buffer = this.#buffer.slice(this.#first);
    this.#first = 0;
  }
}
