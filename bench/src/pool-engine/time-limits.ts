import { systemClock } from '@warmvm/core';

/** Something that may take so long and no longer. */
export interface Limited {
  dueMs: number;
  sooner: Limited | undefined;
  later: Limited | undefined;
  onDue(): void;
}

/** Time limits of equal length: a linked list, since they end in the order in which they began, and one timer for its first. */
export class TimeLimits {
  readonly #durationMs: number;
  #first: Limited | undefined;
  #last: Limited | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  get first(): Limited | undefined {
    return this.#first;
  }

  begin(limited: Limited, nowMs: number): void {
    limited.dueMs = nowMs + this.#durationMs;
    limited.sooner = this.#last;
    limited.later = undefined;
    if (this.#last === undefined) this.#first = limited;
    else this.#last.later = limited;
    this.#last = limited;
    this.#timer ??= setTimeout(this.#look, this.#durationMs).unref();
  }

  end(limited: Limited): void {
    const { sooner, later } = limited;
    if (sooner === undefined) this.#first = later;
    else sooner.later = later;
    if (later === undefined) this.#last = sooner;
    else later.sooner = sooner;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const nowMs = systemClock.now();
    for (let due = this.#first; due !== undefined && due.dueMs <= nowMs; due = this.#first) {
      this.end(due);
      due.onDue();
    }
    if (this.#first !== undefined) this.#timer = setTimeout(this.#look, this.#first.dueMs - nowMs).unref();
  };
}
