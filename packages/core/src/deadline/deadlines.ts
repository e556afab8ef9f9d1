import type { Clock, Timer } from '../driver/clock.ts';

/** Something that wants to be told when its time has come. Kept by {@link Deadlines} in place: no wrapper is made. */
export interface DeadlineEntry {
  /** When, on the clock's monotonic scale. Written by {@link Deadlines} alone while the entry is in it. */
  dueMs: number;
  /** Place in the heap; -1 while it is in none. Written by {@link Deadlines} alone. */
  heapIndex: number;
  /** Called once, after the entry was taken out. Must not throw. */
  onDue(): void;
}

/**
 * Any number of deadlines under one timer of the clock: a binary heap whose entries know their place. Adding in order
 * of due time costs no sifting; taking out costs a path of the heap.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #hold: boolean;
  readonly #heap: DeadlineEntry[] = [];
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** @param hold whether a pending deadline keeps the process alive */
  constructor(clock: Clock, hold: boolean) {
    this.#clock = clock;
    this.#hold = hold;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(entry: DeadlineEntry, dueMs: number): void {
    entry.dueMs = dueMs;
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1, entry);
    if (dueMs < this.#timerDueMs) this.#arm(dueMs);
  }

  /** Takes an entry out; harmless when it is not in. */
  remove(entry: DeadlineEntry): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#heap.pop()!;
    if (last !== entry) this.#place(index, last);
    // An armed timer is left to fire early rather than set anew, but never with nothing to hold the process for.
    if (this.#heap.length === 0 && this.#hold) this.#disarm();
  }

  /** Takes everything out; nothing is told. */
  clear(): void {
    for (const entry of this.#heap) entry.heapIndex = -1;
    this.#heap.length = 0;
    this.#disarm();
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      this.remove(first);
      first.onDue();
    }
    const next = this.#heap[0];
    if (next !== undefined && next.dueMs < this.#timerDueMs) this.#arm(next.dueMs);
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(0, dueMs - this.#clock.now());
    this.#timer = this.#clock.setTimer(() => this.#fire(), delayMs, { hold: this.#hold });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  #place(index: number, entry: DeadlineEntry): void {
    const parent = this.#heap[(index - 1) >> 1];
    if (index > 0 && parent!.dueMs > entry.dueMs) this.#siftUp(index, entry);
    else this.#siftDown(index, entry);
  }

  #siftUp(from: number, entry: DeadlineEntry): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex]!;
      if (parent.dueMs <= entry.dueMs) break;
      this.#set(index, parent);
      index = parentIndex;
    }
    this.#set(index, entry);
  }

  #siftDown(from: number, entry: DeadlineEntry): void {
    const { length } = this.#heap;
    let index = from;
    for (let childIndex = 2 * index + 1; childIndex < length; childIndex = 2 * index + 1) {
      const rightIndex = childIndex + 1;
      if (rightIndex < length && this.#heap[rightIndex]!.dueMs < this.#heap[childIndex]!.dueMs) childIndex = rightIndex;
      const child = this.#heap[childIndex]!;
      if (child.dueMs >= entry.dueMs) break;
      this.#set(index, child);
      index = childIndex;
    }
    this.#set(index, entry);
  }

  #set(index: number, entry: DeadlineEntry): void {
    this.#heap[index] = entry;
    entry.heapIndex = index;
  }
}
