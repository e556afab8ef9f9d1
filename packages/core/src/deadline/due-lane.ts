import type { DeadlineEntry } from './deadlines.ts';

/** Deadlines that came in the order in which they are due: a linked list whose members are their own links. */
export class DueLane {
  first: DeadlineEntry | undefined = undefined;
  last: DeadlineEntry | undefined = undefined;

  /** Whether what is due then may be appended. */
  fits(dueMs: number): boolean {
    return this.last === undefined || this.last.dueMs <= dueMs;
  }

  /** For an entry that is due no earlier than the last. */
  append(entry: DeadlineEntry): void {
    const { last } = this;
    entry.lane = this;
    entry.sooner = last;
    if (last === undefined) this.first = entry;
    else last.later = entry;
    this.last = entry;
  }

  remove(entry: DeadlineEntry): void {
    const { sooner, later } = entry;
    if (sooner === undefined) this.first = later;
    else sooner.later = later;
    if (later === undefined) this.last = sooner;
    else later.sooner = sooner;
    entry.lane = undefined;
    entry.sooner = undefined;
    entry.later = undefined;
  }
}
