import type { CloseReport } from '@warmvm/core';
import type { DrainFacts } from '../protocol/messages.ts';

/** How a drain went, as clients and people are told of it. */
export function drainFacts({ durationMs, revoked, undestroyed }: CloseReport): DrainFacts {
  return { durationMs, revoked: revoked.length, undestroyed: undestroyed.length };
}
