/**
 * Bounds how often something begins: a bucket that holds what one second brings, at least one, and is full at first. In
 * any window of `n` seconds no more than `(n + 1) * perSecond` are let through, and one at least.
 */
export class RateBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs = Number.NEGATIVE_INFINITY;

  /** @param perSecond `Infinity` for no bound */
  constructor(perSecond: number) {
    this.#perMs = perSecond / 1_000;
    this.#capacity = Math.max(1, perSecond);
    this.#tokens = this.#capacity;
  }

  /** Takes one; {@link nextMs} has told that it may. */
  take(): void {
    this.#tokens -= 1;
  }

  /** When the next may be taken, or undefined when that is now. */
  nextMs(nowMs: number): number | undefined {
    if (this.#capacity === Number.POSITIVE_INFINITY) return undefined;
    if (nowMs > this.#filledAtMs) {
      const since = this.#filledAtMs === Number.NEGATIVE_INFINITY ? 0 : nowMs - this.#filledAtMs;
      this.#tokens = Math.min(this.#capacity, this.#tokens + since * this.#perMs);
      this.#filledAtMs = nowMs;
    }
    // Sums of fractions fall short of a whole by a little.
    const lacking = 1 - this.#tokens;
    return lacking < 1e-9 ? undefined : nowMs + Math.ceil(lacking / this.#perMs);
  }
}
