import type { Random } from '../backoff/backoff.ts';

/** Somewhere a machine may be made now. */
export interface Place {
  /** How many more footprints fit. */
  readonly free: number;
  /** Whether creation there failed lately and has not been proved to work since. */
  readonly isOnTrial: boolean;
}

/**
 * Where the next machine is made: where most fit, by chance where equally many do. While callers wait, a place on trial is
 * taken only when there is no other: whether it works again is not tried out on them.
 */
export function choosePlace<Candidate extends Place>(
  places: Iterable<Candidate>,
  isUrgent: boolean,
  random: Random,
): Candidate | undefined {
  let best: Candidate | undefined;
  let equals = 0;
  for (const place of places) {
    if (place.free <= 0) continue;
    const order = best === undefined ? 1 : compare(place, best, isUrgent);
    if (order < 0) continue;
    equals = order > 0 ? 1 : equals + 1;
    // Each of so many equals is kept with the same chance, and a single one costs no random number.
    if (equals === 1 || random() * equals < 1) best = place;
  }
  return best;
}

function compare(left: Place, right: Place, isUrgent: boolean): number {
  if (isUrgent && left.isOnTrial !== right.isOnTrial) return left.isOnTrial ? -1 : 1;
  return left.free - right.free;
}
