import type { Clock } from '@warmvm/core';

/** What a run consists of, in order. */
export type Stage = 'open' | 'lend' | 'copyIn' | 'command' | 'copyOut' | 'giveBack' | 'close';

/** How long each stage of a run took. */
export class StageTimes {
  readonly #clock: Clock;
  readonly #durations: Partial<Record<Stage, number>> = {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does the work and notes its time, also when it fails. */
  async measure<Result>(stage: Stage, work: () => Promise<Result>): Promise<Result> {
    const startedAt = this.#clock.now();
    try {
      return await work();
    } finally {
      this.#durations[stage] = Math.round((this.#clock.now() - startedAt) * 1000) / 1000;
    }
  }

  /** Milliseconds of the stages that were reached. */
  durationsMs(): Readonly<Partial<Record<Stage, number>>> {
    return { ...this.#durations };
  }
}
