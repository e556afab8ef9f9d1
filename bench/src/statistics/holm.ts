/**
 * Allows for the number of tests (Holm): who looks at twenty figures finds one at p = 0.05 by chance. In the order of the input.
 */
export function holm(probabilities: readonly number[]): readonly number[] {
  const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[a]! - probabilities[b]!);
  const adjusted = new Array<number>(probabilities.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.max(least, Math.min(1, probabilities[index]! * (probabilities.length - rank)));
    adjusted[index] = least;
  }
  return adjusted;
}
