import { errorFunction } from 'simple-statistics';

/** Both sides at most this large and no two samples alike: the exact distribution is counted out. */
const EXACT_LIMIT = 20;

/**
 * Mann-Whitney's test whether two samples come from one distribution: the probability of ranks at least as uneven if they do,
 * two-sided. Exact for few samples, else the normal approximation with corrections for ties and continuity.
 * @throws RangeError when a side has no samples
 */
export function mannWhitney(left: readonly number[], right: readonly number[]): number {
  if (left.length === 0 || right.length === 0) {
    throw new RangeError(`both sides need samples, got ${left.length} and ${right.length}`);
  }
  const { rankSum, ties } = rankSumOf(left, right);
  const u = rankSum - (left.length * (left.length + 1)) / 2;
  const larger = Math.max(u, left.length * right.length - u);
  const isExact = ties.length === 0 && left.length <= EXACT_LIMIT && right.length <= EXACT_LIMIT;
  return isExact ? exact(larger, left.length, right.length) : approximate(larger, left.length, right.length, ties);
}

/** The sum of the left side's ranks, equal samples sharing theirs; and how many samples are in each group of equals. */
function rankSumOf(left: readonly number[], right: readonly number[]): { rankSum: number; ties: number[] } {
  const all = [...left.map((value) => ({ value, isLeft: 1 })), ...right.map((value) => ({ value, isLeft: 0 }))];
  all.sort((a, b) => a.value - b.value);
  const ties: number[] = [];
  let rankSum = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    let fromLeft = 0;
    while (end < all.length && all[end]!.value === all[start]!.value) {
      fromLeft += all[end]!.isLeft;
      end += 1;
    }
    rankSum += (fromLeft * (start + 1 + end)) / 2;
    if (end - start > 1) ties.push(end - start);
    start = end;
  }
  return { rankSum, ties };
}

/** Counts the orders in which U comes out at least as large. */
function exact(u: number, left: number, right: number): number {
  // ways[n][s]: how many choices of n places in the line so far have s samples of the other side before them.
  const most = left * right;
  let ways = Array.from({ length: left + 1 }, () => new Float64Array(most + 1));
  ways[0]![0] = 1;
  for (let place = 0; place < left + right; place += 1) {
    const next = Array.from({ length: left + 1 }, () => new Float64Array(most + 1));
    for (let taken = 0; taken <= Math.min(place, left); taken += 1) {
      const before = place - taken;
      if (before > right) continue;
      for (let sum = 0; sum <= most; sum += 1) {
        const count = ways[taken]![sum]!;
        if (count === 0) continue;
        if (before < right) next[taken]![sum]! += count;
        if (taken < left && sum + before <= most) next[taken + 1]![sum + before]! += count;
      }
    }
    ways = next;
  }
  const counts = ways[left]!;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const atLeast = counts.subarray(Math.ceil(u)).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * atLeast) / total);
}

function approximate(u: number, left: number, right: number, ties: readonly number[]): number {
  const total = left + right;
  const tied = ties.reduce((sum, count) => sum + (count ** 3 - count), 0);
  const variance = ((left * right) / 12) * (total + 1 - tied / (total * (total - 1)));
  if (variance === 0) return 1;
  const z = Math.max(0, (u - (left * right) / 2 - 0.5) / Math.sqrt(variance));
  return Math.min(1, 1 - errorFunction(z / Math.SQRT2));
}
