import { percentile } from './percentile.ts';
import { type RandomIndex, seededIndex } from './random.ts';

/** Between which a value lies with the wanted confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Samples in the order in which they were taken, and how many of them came from each process. */
export interface Sampling {
  readonly samples: readonly number[];
  readonly blocks: readonly number[];
}

/** Of intervals that people read. */
const USUAL_CONFIDENCE = 0.95;

const RESAMPLES = 2000;
const SEED = 20_061;
/** A busy spell of the computer lasts for many quick samples: a run of neighbours is so large a share of a block. */
const RUNS = 8;
/** Fewer samples give an interval that says nothing. */
export const FEWEST: number = 4;

/** Samples of one process. */
export function oneBlock(samples: readonly number[]): Sampling {
  return { samples, blocks: [samples.length] };
}

/**
 * The interval of the quotient of two medians, by bootstrap: draws from both again and again, each time with replacement.
 * Whole blocks are drawn, since processes differ from each other; and within them runs of neighbours, since samples that were
 * taken one after the other resemble each other. Null for fewer than 4 samples on either side.
 */
export function ratioInterval(
  sampling: Sampling,
  reference: Sampling,
  confidence: number = USUAL_CONFIDENCE,
): Interval | null {
  if (sampling.samples.length < FEWEST || reference.samples.length < FEWEST) return null;
  const random = seededIndex(SEED);
  const above = new Resampler(sampling, random);
  const below = new Resampler(reference, random);
  const quotients = Array.from({ length: RESAMPLES }, () => above.median() / below.median());
  const ratio = percentile(sampling.samples, 0.5) / percentile(reference.samples, 0.5);
  return widened(middle(quotients, confidence), ratio, Math.min(sampling.blocks.length, reference.blocks.length));
}

/** The interval of the median itself. Null for fewer than 4 samples. */
export function medianInterval(samples: readonly number[]): Interval | null {
  if (samples.length < FEWEST) return null;
  const resampler = new Resampler(oneBlock(samples), seededIndex(SEED));
  return middle(
    Array.from({ length: RESAMPLES }, () => resampler.median()),
    USUAL_CONFIDENCE,
  );
}

/**
 * A bootstrap of few processes gives intervals that are too narrow. As for a mean of few values, Student's t takes the place of the normal
 * distribution, and the variance loses its bias; on a scale of logarithms, since it is a ratio. One process says nothing of others.
 */
function widened({ low, high }: Interval, ratio: number, processes: number): Interval {
  if (processes === 1) return { low, high };
  const factor = studentToNormal(2 * (processes - 1)) * Math.sqrt(processes / (processes - 1));
  return { low: ratio * (low / ratio) ** factor, high: ratio * (high / ratio) ** factor };
}

/** Quantiles of Student's t at 0.995 for degrees of freedom, and of the normal distribution. */
const STUDENT: readonly (readonly [freedom: number, quantile: number])[] = [
  [2, 9.925],
  [4, 4.604],
  [6, 3.707],
  [8, 3.355],
  [10, 3.169],
  [14, 2.977],
  [20, 2.845],
  [30, 2.75],
];
const NORMAL = 2.576;

function studentToNormal(freedom: number): number {
  const row = STUDENT.findLast(([limit]) => freedom >= limit) ?? STUDENT[0]!;
  return freedom > 60 ? 1 : row[1] / NORMAL;
}

function middle(values: readonly number[], confidence: number): Interval {
  const outside = (1 - confidence) / 2;
  return { low: percentile(values, outside), high: percentile(values, 1 - outside) };
}

/** Medians of samples drawn again: counts how often each rank was drawn instead of sorting anew. */
class Resampler {
  readonly #sorted: readonly number[];
  readonly #rankOf: Uint32Array;
  readonly #times: Uint32Array;
  readonly #blocks: readonly { readonly start: number; readonly length: number }[];
  readonly #random: RandomIndex;

  constructor({ samples, blocks }: Sampling, random: RandomIndex) {
    const order = samples.map((_, index) => index).sort((left, right) => samples[left]! - samples[right]!);
    this.#sorted = order.map((index) => samples[index]!);
    this.#rankOf = new Uint32Array(samples.length);
    for (const [rank, index] of order.entries()) this.#rankOf[index] = rank;
    this.#times = new Uint32Array(samples.length);
    let start = 0;
    this.#blocks = blocks.map((length) => {
      start += length;
      return { start: start - length, length };
    });
    this.#random = random;
  }

  median(): number {
    this.#times.fill(0);
    let drawn = 0;
    for (let count = 0; count < this.#blocks.length; count += 1) drawn += this.#drawBlock();
    let passed = 0;
    let rank = -1;
    while (passed < Math.ceil(drawn / 2)) {
      rank += 1;
      passed += this.#times[rank]!;
    }
    return this.#sorted[rank]!;
  }

  #drawBlock(): number {
    const { start, length } = this.#blocks[this.#random(this.#blocks.length)]!;
    const run = Math.max(1, Math.round(length / RUNS));
    for (let drawn = 0; drawn < length; ) {
      // Runs go round the end, or the first and last samples would be drawn less often.
      const from = this.#random(length);
      for (let step = 0; step < run && drawn < length; step += 1, drawn += 1) {
        this.#times[this.#rankOf[start + ((from + step) % length)]!]! += 1;
      }
    }
    return length;
  }
}
