import { percentile } from 'warmvm/measure';
import { type RandomIndex, seededIndex } from './random.ts';

/** Between which a value lies with the wanted confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export const CONFIDENCE = 0.95;

const RESAMPLES = 2000;
const SEED = 20_061;
/** Fewer samples give an interval that says nothing. */
const FEWEST = 4;

/**
 * The interval of the quotient of two medians, by bootstrap: draws from both again and again, each time with replacement.
 * Runs of neighbours are drawn together, since samples that were taken one after the other resemble each other.
 * Null for fewer than 4 samples on either side.
 */
export function ratioInterval(samples: readonly number[], references: readonly number[]): Interval | null {
  if (samples.length < FEWEST || references.length < FEWEST) return null;
  const random = seededIndex(SEED);
  const above = new Resampler(samples, random);
  const below = new Resampler(references, random);
  return middle(Array.from({ length: RESAMPLES }, () => above.median() / below.median()));
}

/** The interval of the median itself. Null for fewer than 4 samples. */
export function medianInterval(samples: readonly number[]): Interval | null {
  if (samples.length < FEWEST) return null;
  const resampler = new Resampler(samples, seededIndex(SEED));
  return middle(Array.from({ length: RESAMPLES }, () => resampler.median()));
}

function middle(values: readonly number[]): Interval {
  const outside = (1 - CONFIDENCE) / 2;
  return { low: percentile(values, outside), high: percentile(values, 1 - outside) };
}

/** Medians of samples drawn again: counts how often each rank was drawn instead of sorting anew. */
class Resampler {
  readonly #sorted: readonly number[];
  readonly #rankOf: Uint32Array;
  readonly #times: Uint32Array;
  readonly #run: number;
  readonly #random: RandomIndex;

  constructor(samples: readonly number[], random: RandomIndex) {
    const order = samples.map((_, index) => index).sort((left, right) => samples[left]! - samples[right]!);
    this.#sorted = order.map((index) => samples[index]!);
    this.#rankOf = new Uint32Array(samples.length);
    for (const [rank, index] of order.entries()) this.#rankOf[index] = rank;
    this.#times = new Uint32Array(samples.length);
    this.#run = Math.round(Math.cbrt(samples.length));
    this.#random = random;
  }

  median(): number {
    const { length } = this.#sorted;
    this.#times.fill(0);
    for (let drawn = 0; drawn < length; ) {
      // Runs go round the end, or the first and last samples would be drawn less often.
      const start = this.#random(length);
      for (let step = 0; step < this.#run && drawn < length; step += 1, drawn += 1) {
        this.#times[this.#rankOf[(start + step) % length]!]! += 1;
      }
    }
    let passed = 0;
    let rank = -1;
    while (passed < Math.ceil(length / 2)) {
      rank += 1;
      passed += this.#times[rank]!;
    }
    return this.#sorted[rank]!;
  }
}
