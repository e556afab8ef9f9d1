import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Whole numbers from 0 to below the limit. */
export type RandomIndex = (limit: number) => number;

/** The same numbers for the same seed: a comparison of two files says the same every time. */
export function seededIndex(seed: number): RandomIndex {
  const generator = xoroshiro128plus(seed);
  return (limit) => uniformInt(generator, 0, limit - 1);
}
