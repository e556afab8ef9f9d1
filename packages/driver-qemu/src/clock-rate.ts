import { type CallOptions, type Clock, sleep } from '@warmvm/core/driver';
import type { GuestAgent } from '@warmvm/guest-agent';

/** Long enough that the time of two round trips does not hide a tenth; each first start of an image waits for it. */
const SPAN_MS = 150;
/** A kernel that measured its processor right is off by less than a thousandth; one that did not, by factors. */
const TOLERANCE = 0.02;

/**
 * How fast the guest's clock runs, as a ratio to ours; undefined when it is right as far as that can be told. A kernel that boots
 * on a busy computer without hardware virtualisation may take its processor for twenty times slower than it is, and its clock runs
 * as many times too fast for as long as it lives, in every fork of it.
 */
export async function wrongClockRate(
  agent: GuestAgent,
  clock: Clock,
  options: CallOptions,
): Promise<number | undefined> {
  const first = await look(agent, clock, options);
  await sleep(clock, SPAN_MS, options.signal);
  const second = await look(agent, clock, options);
  const passedMs = second.atMs - first.atMs;
  const guestPassedMs = second.guestMs - first.guestMs;
  const blurMs = first.blurMs + second.blurMs;
  if (Math.abs(guestPassedMs - passedMs) <= passedMs * TOLERANCE + blurMs) return undefined;
  return guestPassedMs / passedMs;
}

async function look(
  agent: GuestAgent,
  clock: Clock,
  options: CallOptions,
): Promise<{ readonly guestMs: number; readonly atMs: number; readonly blurMs: number }> {
  const startedMs = clock.now();
  const guestMs = await agent.timeMs(options);
  const endedMs = clock.now();
  return { guestMs, atMs: (startedMs + endedMs) / 2, blurMs: (endedMs - startedMs) / 2 };
}
