import type { Clock, Guest } from '@warmvm/core';

/** How far the guest's clock is from the bench's, as one question tells: its answer was taken somewhere between the asking and the hearing. */
export interface GuestTime {
  /** Guest's milliseconds since the epoch less milliseconds of the bench's clock. */
  readonly offsetMs: number;
  /** The truth is within this of the offset. */
  readonly withinMs: number;
}

/** Asks the guest what time it is. */
export async function askGuestTime(guest: Guest, clock: Clock, signal: AbortSignal): Promise<GuestTime> {
  const askedAt = clock.now();
  const guestMs = await guest.timeMs({ signal });
  const heardAt = clock.now();
  return { offsetMs: guestMs - (askedAt + heardAt) / 2, withinMs: (heardAt - askedAt) / 2 };
}

/** The better of two. */
export function closerOf(one: GuestTime, other: GuestTime): GuestTime {
  return one.withinMs <= other.withinMs ? one : other;
}
