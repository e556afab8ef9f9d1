import type { DeadlineEntry } from './deadlines.ts';

/** Deadlines in any order: a binary heap whose members know their place. */
export class DueHeap {
  readonly #entries: DeadlineEntry[] = [];

  get first(): DeadlineEntry | undefined {
    return this.#entries[0];
  }

  add(entry: DeadlineEntry): void {
    this.#entries.push(entry);
    this.#siftUp(this.#entries.length - 1, entry);
  }

  remove(entry: DeadlineEntry): void {
    const index = entry.heapIndex;
    entry.heapIndex = -1;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    const parent = this.#entries[(index - 1) >> 1];
    if (index > 0 && parent!.dueMs > last.dueMs) this.#siftUp(index, last);
    else this.#siftDown(index, last);
  }

  #siftUp(from: number, entry: DeadlineEntry): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#entries[parentIndex]!;
      if (parent.dueMs <= entry.dueMs) break;
      this.#set(index, parent);
      index = parentIndex;
    }
    this.#set(index, entry);
  }

  #siftDown(from: number, entry: DeadlineEntry): void {
    const entries = this.#entries;
    const { length } = entries;
    let index = from;
    for (let childIndex = 2 * index + 1; childIndex < length; childIndex = 2 * index + 1) {
      const rightIndex = childIndex + 1;
      if (rightIndex < length && entries[rightIndex]!.dueMs < entries[childIndex]!.dueMs) childIndex = rightIndex;
      const child = entries[childIndex]!;
      if (child.dueMs >= entry.dueMs) break;
      this.#set(index, child);
      index = childIndex;
    }
    this.#set(index, entry);
  }

  #set(index: number, entry: DeadlineEntry): void {
    this.#entries[index] = entry;
    entry.heapIndex = index;
  }
}
