import type { DeadlineEntry, Deadlines } from '../deadline/deadlines.ts';
import type { DueLane } from '../deadline/due-lane.ts';
import type { Lease } from './lease.ts';
import { WaiterRank } from './waiter-rank.ts';

/** Why a waiter left the line without a lease. */
export type WaiterLoss = 'timeout' | 'aborted' | 'closed' | 'refused';

/** What a caller in line wants. */
export interface WaiterRequest {
  readonly sinceMs: number;
  readonly leaseMs: number;
  readonly signal: AbortSignal | undefined;
  /** Larger goes first. */
  readonly priority: number;
}

/** One caller in line. Leaves the line in the same step that settles it. */
export class Waiter implements DeadlineEntry {
  dueMs = 0;
  heapIndex = -1;
  lane: DueLane | undefined = undefined;
  sooner: DeadlineEntry | undefined = undefined;
  later: DeadlineEntry | undefined = undefined;
  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  /** Those of the same priority; written by the line alone. */
  readonly rank: WaiterRank<Waiter>;
  readonly line: WaiterLine;
  readonly sinceMs: number;
  readonly leaseMs: number;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;

  constructor(
    line: WaiterLine,
    request: WaiterRequest,
    resolve: (lease: Lease) => void,
    reject: (error: unknown) => void,
  ) {
    this.line = line;
    this.rank = line.rankOf(request.priority);
    this.sinceMs = request.sinceMs;
    this.leaseMs = request.leaseMs;
    this.resolve = resolve;
    this.reject = reject;
    this.signal = request.signal;
    this.onAbort = request.signal === undefined ? undefined : () => line.lose(this, 'aborted', this.signal?.reason);
  }

  onDue(): void {
    this.line.lose(this, 'timeout');
  }
}

/** What a {@link WaiterLine} asks of its pool. */
export interface WaiterLineHost {
  /** Makes the error for a waiter whose time is over. */
  timeoutError(waiter: Waiter): unknown;
  /** Told after a waiter left without a lease. */
  lost(waiter: Waiter, why: WaiterLoss): void;
}

/** Those who wait, by priority and in it by arrival: linked ranks under one timer. */
export class WaiterLine {
  readonly #deadlines: Deadlines;
  readonly #lane: DueLane;
  readonly #host: WaiterLineHost;
  readonly #maxPassedOver: number;
  /** Highest priority first; one for each that was ever asked for. */
  readonly #ranks: WaiterRank<Waiter>[] = [];
  #length = 0;

  /** @param maxPassedOver grants that may go to others before the first of a lower rank is due */
  constructor(deadlines: Deadlines, host: WaiterLineHost, maxPassedOver: number = Number.POSITIVE_INFINITY) {
    this.#deadlines = deadlines;
    this.#lane = deadlines.openLane();
    this.#host = host;
    this.#maxPassedOver = maxPassedOver;
  }

  get length(): number {
    return this.#length;
  }

  /** Those of one priority. */
  rankOf(priority: number): WaiterRank<Waiter> {
    let index = 0;
    for (const rank of this.#ranks) {
      if (rank.priority === priority) return rank;
      if (rank.priority > priority) index += 1;
    }
    const rank = new WaiterRank<Waiter>(priority);
    this.#ranks.splice(index, 0, rank);
    return rank;
  }

  join(waiter: Waiter, dueMs: number): void {
    waiter.rank.push(waiter);
    this.#length += 1;
    this.#deadlines.add(waiter, dueMs, this.#lane);
    if (waiter.onAbort !== undefined) waiter.signal?.addEventListener('abort', waiter.onAbort, { once: true });
  }

  /** Takes out the one whose turn it is; the caller settles it in the same step. */
  takeFirst(): Waiter | undefined {
    const first = this.#choose()?.head;
    if (first !== undefined) this.#leave(first);
    return first;
  }

  /** Takes a waiter out and rejects it. */
  lose(waiter: Waiter, why: WaiterLoss, error?: unknown): void {
    this.#leave(waiter);
    waiter.reject(why === 'timeout' ? this.#host.timeoutError(waiter) : error);
    this.#host.lost(waiter, why);
  }

  /** Rejects everyone, highest priority first, and in it first come first. */
  loseAll(why: WaiterLoss, error: () => unknown): void {
    // One at a time from the head, since a listener may add or abort others meanwhile.
    for (let count = this.#length; count > 0; count -= 1) {
      const head = this.#ranks.find((rank) => rank.head !== undefined)?.head;
      if (head === undefined) return;
      this.lose(head, why, error());
    }
  }

  /** The rank that is due for having been passed over longest, else the highest; the others are passed over once more. */
  #choose(): WaiterRank<Waiter> | undefined {
    if (this.#ranks.length === 1) return this.#ranks[0];
    let chosen: WaiterRank<Waiter> | undefined;
    let due: WaiterRank<Waiter> | undefined;
    for (const rank of this.#ranks) {
      if (rank.head === undefined) continue;
      chosen ??= rank;
      if (rank.passedOver >= this.#maxPassedOver && rank.passedOver > (due?.passedOver ?? -1)) due = rank;
    }
    chosen = due ?? chosen;
    for (const rank of this.#ranks) {
      if (rank.head !== undefined) rank.passedOver = rank === chosen ? 0 : rank.passedOver + 1;
    }
    return chosen;
  }

  #leave(waiter: Waiter): void {
    waiter.rank.remove(waiter);
    this.#length -= 1;
    this.#deadlines.remove(waiter);
    if (waiter.onAbort !== undefined) waiter.signal?.removeEventListener('abort', waiter.onAbort);
  }
}
