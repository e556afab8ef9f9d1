/** Serials in use: counts up from 1, wraps, and never gives out one whose call or stream is still open. */
export class Serials {
  readonly #open: Set<number>;
  #last: number;

  /**
   * @param last The serial before the first one; only tests start elsewhere than at 0.
   * @param open Serials in use from the start.
   */
  constructor(last = 0, open: Iterable<number> = []) {
    this.#last = last;
    this.#open = new Set(open);
  }

  /** Gives out a serial that is not in use. */
  take(): number {
    do this.#last = (this.#last + 1) >>> 0;
    while (this.#open.has(this.#last));
    this.#open.add(this.#last);
    return this.#last;
  }

  /** Frees a serial once its call and its stream are over. */
  release(serial: number): void {
    this.#open.delete(serial);
  }
}
