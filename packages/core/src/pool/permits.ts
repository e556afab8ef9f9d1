/** The right to do one thing of a limited kind. Whoever holds it gives it back, once. */
export interface Permit {
  /** Gives it back; harmless when that was done before. */
  release(): void;
}

/** Hands out at most `limit` permits at a time: a limit that cannot be forgotten, since the value must be held. */
export class Permits {
  #limit: number;
  #inUse = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get inUse(): number {
    return this.#inUse;
  }

  get limit(): number {
    return this.#limit;
  }

  tryTake(): Permit | undefined {
    if (this.#inUse >= this.#limit) return undefined;
    this.#inUse += 1;
    return new HeldPermit(this.#giveBack);
  }

  readonly #giveBack = (): void => {
    this.#inUse -= 1;
  };
}

class HeldPermit implements Permit {
  #giveBack: (() => void) | undefined;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  release(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }
}
