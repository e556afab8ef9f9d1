import type { Clock, Timer } from '../driver/clock.ts';
import { DueHeap } from './due-heap.ts';
import { DueLane } from './due-lane.ts';

/** Something that wants to be told when its time has come. Kept by {@link Deadlines} in place: no wrapper is made. */
export interface DeadlineEntry {
  /** When, on the clock's monotonic scale. Written by {@link Deadlines} alone while the entry is in it. */
  dueMs: number;
  /** Place in the heap; -1 while it is not there. Written by {@link Deadlines} alone, as are the others. */
  heapIndex: number;
  lane: DueLane | undefined;
  /** Neighbours in the lane. */
  sooner: DeadlineEntry | undefined;
  later: DeadlineEntry | undefined;
  /** Called once, after the entry was taken out. Must not throw. */
  onDue(): void;
}

/** Lists that may be open at a time; one serves all who wait for equally long. */
const MOST_LANES = 8;

/** Whether the entry is among any deadlines. */
export function isPending(entry: DeadlineEntry): boolean {
  return entry.lane !== undefined || entry.heapIndex >= 0;
}

/**
 * Any number of deadlines under one timer of the clock. Those who wait for equally long are due in the order in which
 * they came, so a few lists take nearly all, at a constant cost; a heap takes the rest.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #hold: boolean;
  readonly #lanes: DueLane[] = [];
  readonly #ownLanes: DueLane[] = [];
  readonly #heap = new DueHeap();
  readonly #onTimer = (): void => this.#fire();
  #size = 0;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** @param hold whether a pending deadline keeps the process alive */
  constructor(clock: Clock, hold: boolean) {
    this.#clock = clock;
    this.#hold = hold;
  }

  get size(): number {
    return this.#size;
  }

  /** A list for entries that nearly always wait for equally long: who adds to it has none looked for. */
  openLane(): DueLane {
    const lane = new DueLane();
    this.#ownLanes.push(lane);
    return lane;
  }

  /** @param own list to which it goes if it is due no earlier than the last there */
  add(entry: DeadlineEntry, dueMs: number, own?: DueLane): void {
    entry.dueMs = dueMs;
    this.#size += 1;
    const lane = own?.fits(dueMs) ? own : this.#laneFor(dueMs);
    if (lane === undefined) this.#heap.add(entry);
    else lane.append(entry);
    if (dueMs < this.#timerDueMs) this.#arm(dueMs);
  }

  /** Takes an entry out; harmless when it is not in. */
  remove(entry: DeadlineEntry): void {
    if (entry.lane !== undefined) entry.lane.remove(entry);
    else if (entry.heapIndex >= 0) this.#heap.remove(entry);
    else return;
    this.#size -= 1;
    // An armed timer is left to fire early rather than set anew, but never with nothing to hold the process for.
    if (this.#size === 0 && this.#hold) this.#disarm();
  }

  /** Takes everything out; nothing is told. */
  clear(): void {
    for (let first = this.#first(); first !== undefined; first = this.#first()) this.remove(first);
    this.#disarm();
  }

  /** The list whose last is due latest among those that are due before: so as few as can be are open. */
  #laneFor(dueMs: number): DueLane | undefined {
    let found: DueLane | undefined;
    let latestMs = Number.NEGATIVE_INFINITY;
    for (const lane of this.#lanes) {
      const { last } = lane;
      if (last === undefined) found ??= lane;
      else if (last.dueMs <= dueMs && last.dueMs >= latestMs) {
        found = lane;
        latestMs = last.dueMs;
      }
    }
    if (found !== undefined || this.#lanes.length === MOST_LANES) return found;
    const lane = new DueLane();
    this.#lanes.push(lane);
    return lane;
  }

  #first(): DeadlineEntry | undefined {
    let { first } = this.#heap;
    for (const lanes of [this.#lanes, this.#ownLanes]) {
      for (const { first: candidate } of lanes) {
        if (candidate !== undefined && (first === undefined || candidate.dueMs < first.dueMs)) first = candidate;
      }
    }
    return first;
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now();
    let first = this.#first();
    for (; first !== undefined && first.dueMs <= nowMs; first = this.#first()) {
      this.remove(first);
      first.onDue();
    }
    if (first !== undefined && first.dueMs < this.#timerDueMs) this.#arm(first.dueMs);
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(0, dueMs - this.#clock.now());
    this.#timer = this.#clock.setTimer(this.#onTimer, delayMs, { hold: this.#hold });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }
}
