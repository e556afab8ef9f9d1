import type { TimedPhase } from './pool-event.ts';

const none = Number.NaN;

/** How long each step took when it was last done, in milliseconds. Noted twice in each turn of a machine, so it is kept in fields of one kind. */
export class PhaseTimes {
  #prepare = none;
  #fork = none;
  #detect = none;
  #probe = none;
  #reset = none;
  #destroy = none;

  note(phase: TimedPhase, durationMs: number): void {
    switch (phase) {
      case 'reset':
        this.#reset = durationMs;
        return;
      case 'probe':
        this.#probe = durationMs;
        return;
      case 'detect':
        this.#detect = durationMs;
        return;
      case 'prepare':
        this.#prepare = durationMs;
        return;
      case 'fork':
        this.#fork = durationMs;
        return;
      case 'destroy':
        this.#destroy = durationMs;
    }
  }

  /** Null for a step that was never done. */
  read(): Record<TimedPhase, number | null> {
    return {
      prepare: orNull(this.#prepare),
      fork: orNull(this.#fork),
      detect: orNull(this.#detect),
      probe: orNull(this.#probe),
      reset: orNull(this.#reset),
      destroy: orNull(this.#destroy),
    };
  }
}

function orNull(durationMs: number): number | null {
  return Number.isNaN(durationMs) ? null : durationMs;
}
