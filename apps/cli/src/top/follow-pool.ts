import { type Clock, type PoolEvent, sleep, WarmvmError } from '@warmvm/core';
import type { ControlConnection } from '../kept-pool/client/control-connection.ts';
import type { DrainFacts, PoolStatus } from '../kept-pool/protocol/messages.ts';
import { asClosed, asStatus } from '../kept-pool/protocol/reply-check.ts';

/** A pool at one moment, and what happened since the moment before. */
export interface PoolUpdate {
  readonly status: PoolStatus;
  readonly events: readonly PoolEvent[];
}

/** How a pool ended, and what happened before that. */
export interface PoolEnd {
  readonly facts: DrainFacts;
  readonly events: readonly PoolEvent[];
}

/** Least time between two updates: a pool at work has hundreds of events a second. */
const LEAST_GAP_MS = 100;
/** Of the line of those who wait, and of connections, a pool tells no events. */
const LONGEST_GAP_MS = 1_000;
/** Events that may wait for the next update. */
const MOST_PENDING = 1_000;

/**
 * Tells of a pool now, and again after its events, until it ends. The next update waits until `onUpdate` has resolved.
 * @throws the signal's reason; WARMVM_POOL_CLOSED when the process of the pool goes without a word; what `onUpdate` throws
 */
export async function followPool(
  connection: ControlConnection,
  {
    signal,
    clock,
    onUpdate,
  }: {
    readonly signal: AbortSignal;
    readonly clock: Clock;
    readonly onUpdate: (update: PoolUpdate) => void | Promise<void>;
  },
): Promise<PoolEnd> {
  const events = new PendingEvents();
  let facts: DrainFacts | undefined;
  connection.onEvent = (event) => {
    if (event.type === 'closed') facts = asClosed(event.report);
    events.push(event);
  };
  const following = new AbortController();
  const whole = AbortSignal.any([signal, following.signal]);
  // Ends with the pool.
  const told = connection.call({ type: 'events' }, { signal: whole }).finally(() => following.abort());
  told.catch(() => {});
  try {
    for (;;) {
      const status = asStatus(await connection.call({ type: 'status' }, { signal: whole }));
      await onUpdate({ status, events: events.take() });
      const shownAtMs = clock.now();
      await events.arrived(clock, LONGEST_GAP_MS, whole);
      await sleep(clock, Math.max(0, shownAtMs + LEAST_GAP_MS - clock.now()), whole);
    }
  } catch (error) {
    if (signal.aborted || !following.signal.aborted) throw error;
    try {
      await told;
    } catch (reason) {
      if (facts === undefined) throw reason;
    }
    if (facts !== undefined) return { facts, events: events.take() };
    throw new WarmvmError('WARMVM_POOL_CLOSED', `pool ${connection.welcome.pool} has ended`, { cause: error });
  } finally {
    connection.onEvent = undefined;
    following.abort();
  }
}

/** Events on their way to the next update: the last ones, and how many there were before. */
class PendingEvents {
  #events: PoolEvent[] = [];
  #dropped = 0;
  #wake: (() => void) | undefined;

  push(event: PoolEvent): void {
    this.#events.push(event);
    if (this.#events.length > MOST_PENDING) {
      this.#events.shift();
      this.#dropped += 1;
    }
    this.#wake?.();
  }

  take(): readonly PoolEvent[] {
    const [first] = this.#events;
    const taken: readonly PoolEvent[] =
      first === undefined || this.#dropped === 0
        ? this.#events
        : [{ type: 'events-dropped', count: this.#dropped, pool: first.pool, atMs: first.atMs }, ...this.#events];
    this.#events = [];
    this.#dropped = 0;
    return taken;
  }

  /** Resolves when there is an event, or the time is over. @throws the signal's reason */
  async arrived(clock: Clock, longestMs: number, signal: AbortSignal): Promise<void> {
    if (this.#events.length > 0) return;
    const enough = new AbortController();
    this.#wake = () => enough.abort();
    try {
      await sleep(clock, longestMs, AbortSignal.any([signal, enough.signal]));
    } catch {
      signal.throwIfAborted();
    } finally {
      this.#wake = undefined;
    }
  }
}
