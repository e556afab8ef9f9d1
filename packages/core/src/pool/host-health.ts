/** What a host is good for now: machines are made there and lent, or only taken back, or nothing can be done there. */
export type HostState = 'up' | 'draining' | 'down';

/**
 * Whether a host is up, draining or down. Down goes before draining: a host that was told to drain does so when it is back.
 * Each loss begins a new epoch, and what is heard of an earlier one is no news: it must not take the host down again.
 */
export class HostHealth {
  readonly #allowedMisses: number;
  #state: HostState = 'up';
  #isDraining = false;
  #epoch = 0;
  #misses = 0;
  #downSinceMs = 0;

  /** @param allowedMisses heartbeats in a row without an answer after which the host is taken for lost */
  constructor(allowedMisses: number) {
    this.#allowedMisses = allowedMisses;
  }

  get state(): HostState {
    return this.#state;
  }

  /** Whether it was told to drain, also while it is down. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Losses so far. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Heartbeats in a row that were not answered. */
  get misses(): number {
    return this.#misses;
  }

  /**
   * The host was lost.
   * @param epoch in which what tells so had begun
   * @returns whether that is news
   */
  lose(epoch: number, nowMs: number): boolean {
    if (this.#state === 'down' || epoch !== this.#epoch) return false;
    this.#epoch += 1;
    this.#misses = 0;
    this.#downSinceMs = nowMs;
    this.#state = 'down';
    return true;
  }

  /** It answers again. @returns for how long it was down */
  comeBack(nowMs: number): number {
    this.#state = this.#isDraining ? 'draining' : 'up';
    return nowMs - this.#downSinceMs;
  }

  /** @returns whether that changes anything */
  drain(): boolean {
    if (this.#isDraining) return false;
    this.#isDraining = true;
    if (this.#state === 'up') this.#state = 'draining';
    return true;
  }

  /** @returns whether that changes anything */
  undrain(): boolean {
    if (!this.#isDraining) return false;
    this.#isDraining = false;
    if (this.#state === 'draining') this.#state = 'up';
    return true;
  }

  /** A sign of life. */
  answered(): void {
    this.#misses = 0;
  }

  /** A heartbeat was not answered in time. @returns whether the host must now be taken for lost */
  missed(): boolean {
    this.#misses += 1;
    return this.#misses >= this.#allowedMisses;
  }
}
