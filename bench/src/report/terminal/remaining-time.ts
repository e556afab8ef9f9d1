/** What rounds have told so far about how long a suite still takes. Rounds of one suite take about equally long. */
export class RemainingTime {
  readonly #startedAt: number;
  #first: { readonly done: number; readonly at: number } | undefined;
  #last: { readonly done: number; readonly of: number; readonly at: number } | undefined;

  constructor(now: number) {
    this.#startedAt = now;
  }

  rounds(done: number, of: number, now: number): void {
    this.#first ??= { done, at: now };
    this.#last = { done, of, at: now };
  }

  /** Milliseconds that the rest takes, or null while nothing is known. */
  at(now: number): number | null {
    const [first, last] = [this.#first, this.#last];
    if (first === undefined || last === undefined || last.done <= 0) return null;
    // What came before the first round is preparation, and does not come again.
    const eachMs =
      last.done > first.done
        ? (last.at - first.at) / (last.done - first.done)
        : (last.at - this.#startedAt) / last.done;
    return Math.max(0, eachMs * (last.of - last.done) - (now - last.at));
  }

  /** `round 5 of 20, about 12 s left`; empty before the first round. */
  text(now: number): string {
    if (this.#last === undefined) return '';
    const { done, of } = this.#last;
    const restMs = done >= of ? null : this.at(now);
    return `round ${done} of ${of}${restMs === null ? '' : `, about ${roughly(restMs)} left`}`;
  }
}

/** An estimate that claims no more than it knows. */
function roughly(durationMs: number): string {
  if (durationMs < 1_500) return '1 s';
  if (durationMs < 99_500) return `${Math.round(durationMs / 1_000)} s`;
  return `${Math.round(durationMs / 60_000)} min`;
}
