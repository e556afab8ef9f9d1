/**
 * Runs variants one after the other, in turned order every second round: whatever comes first or drifts is the same for all.
 */
export async function alternate(round: number, variants: readonly (() => Promise<void>)[]): Promise<void> {
  for (const variant of round % 2 === 0 ? variants : variants.toReversed()) await variant();
}
