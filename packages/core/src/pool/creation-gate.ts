import type { Backoff } from '../backoff/backoff.ts';

/** What the breaker says: attempts pass, none passes until a time, or a sample is on trial. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** The right to one attempt at creation. Told how it went exactly once, at the gate that gave it. */
export interface Approval {
  /** Counts the failures before it: an attempt that began before the latest failure does not lengthen the wait again. */
  readonly epoch: number;
  readonly sample: boolean;
}

/** How a {@link CreationGate} is set. */
export interface CreationGateOptions {
  readonly backoff: Backoff;
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** How long the breaker stays open. */
  readonly openMs: number;
  /** Attempts let through to try whether creation works again. */
  readonly samples: number;
}

/**
 * Decides when creation may be attempted. One backoff is shared by everyone who wants a machine, so an outage costs
 * attempts by time and not by callers. Enough failures open the breaker; when it half-opens, exactly its sample passes.
 * After a failure attempts go one at a time, and each success doubles how many may go at once.
 */
export class CreationGate {
  readonly #options: CreationGateOptions;
  #delays: Iterator<number, never>;
  #state: BreakerState = 'closed';
  #epoch = 0;
  #failuresInARow = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #width = Number.POSITIVE_INFINITY;
  #underWay = 0;
  #samplesGiven = 0;
  #samplesPassed = 0;
  #open = new Set<Approval>();

  constructor(options: CreationGateOptions) {
    this.#options = options;
    this.#delays = options.backoff[Symbol.iterator]();
  }

  get state(): BreakerState {
    return this.#state;
  }

  get failuresInARow(): number {
    return this.#failuresInARow;
  }

  /** Attempts under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** When time alone will let the next attempt through, or undefined when no time is being waited for. */
  nextAttemptMs(nowMs: number): number | undefined {
    return this.#notBeforeMs > nowMs ? this.#notBeforeMs : undefined;
  }

  /** Whether {@link approve} would give the right to one attempt. */
  mayAttempt(nowMs: number): boolean {
    if (nowMs < this.#notBeforeMs) return false;
    if (this.#state === 'open') return true;
    if (this.#state === 'half-open') return this.#samplesGiven < this.#options.samples;
    return this.#underWay < this.#width;
  }

  /** The right to one attempt, or undefined when there is none at present. */
  approve(nowMs: number): Approval | undefined {
    if (!this.mayAttempt(nowMs)) return undefined;
    if (this.#state === 'open') {
      this.#state = 'half-open';
      this.#samplesGiven = 0;
      this.#samplesPassed = 0;
    }
    const sample = this.#state === 'half-open';
    if (sample) this.#samplesGiven += 1;
    this.#underWay += 1;
    const approval: Approval = { epoch: this.#epoch, sample };
    this.#open.add(approval);
    return approval;
  }

  succeeded(approval: Approval): void {
    if (!this.#close(approval)) return;
    if (this.#state === 'half-open' && approval.sample) {
      this.#samplesPassed += 1;
      if (this.#samplesPassed < this.#options.samples) return;
    } else if (this.#state === 'half-open') return;
    this.#state = 'closed';
    this.#failuresInARow = 0;
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    this.#delays = this.#options.backoff[Symbol.iterator]();
    // Wide enough never to matter: no more doubling needed.
    this.#width = this.#width > 1_000 ? Number.POSITIVE_INFINITY : this.#width * 2;
  }

  failed(approval: Approval, nowMs: number): void {
    if (this.#close(approval) && approval.epoch === this.#epoch) this.#fail(nowMs);
  }

  /** The attempt came to nothing for a reason that says nothing about the host. */
  abandoned(approval: Approval): void {
    if (!this.#close(approval)) return;
    if (approval.sample && this.#state === 'half-open') this.#samplesGiven -= 1;
  }

  /** A failure that was seen without an attempt, such as the loss of the host. */
  hit(nowMs: number): void {
    this.#fail(nowMs);
  }

  #fail(nowMs: number): void {
    this.#epoch += 1;
    this.#failuresInARow += 1;
    this.#width = 1;
    let delayMs = this.#delays.next().value;
    if (this.#state === 'half-open' || this.#failuresInARow >= this.#options.failures) {
      this.#state = 'open';
      delayMs = Math.max(delayMs, this.#options.openMs);
    }
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + delayMs);
  }

  #close(approval: Approval): boolean {
    if (!this.#open.delete(approval)) return false;
    this.#underWay -= 1;
    return true;
  }
}
