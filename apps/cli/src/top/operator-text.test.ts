import type { PoolEvent } from '@warmvm/core';
import { expect, test } from 'vitest';
import { operatorText } from './event-text.ts';

const at = { atMs: 0, host: 'h1', slot: 3 };

test.each<[string, object, RegExp | undefined]>([
  [
    'a machine that dies',
    { type: 'machine-lost', machineId: 'm', error: new Error('gone\u001b[2J') },
    /^slot 3: its machine is lost: gone; another takes its place$/,
  ],
  [
    'a creation that failed',
    { type: 'creation-failed', error: new Error('no room'), retryInMs: 1_000, failuresInARow: 1 },
    /^h1: no machine could be made, next try in 1000 ms: no room$/,
  ],
  ['a lost host', { type: 'host-down', error: new Error('refused') }, /^h1 is down: refused$/],
  ['a host that is back', { type: 'host-up', downMs: 5_000 }, /^h1 answers again/],
  ['a quarantine', { type: 'quarantined', error: new Error('busy') }, /^slot 3 is quarantined: busy$/],
  ['a lease that ran out', { type: 'lease-ended', status: 'expired', heldMs: 10 }, /^slot 3 expired/],
  [
    'a claim that came to nothing',
    { type: 'acquire-settled', outcome: 'timeout', waitedMs: 30_000, slot: undefined },
    /^no lease: timeout/,
  ],
  ['what dead owners had left', { type: 'swept', removed: ['a'], adopted: [], failed: [] }, /^h1 swept: 1 removed/],
  ['a sweep that found nothing', { type: 'swept', removed: [], adopted: [], failed: [] }, undefined],
  ['a lease that came back', { type: 'lease-ended', status: 'released', heldMs: 10 }, undefined],
  ['a lease', { type: 'acquire-settled', outcome: 'warm', waitedMs: 0 }, undefined],
  ['a step', { type: 'phase-ended', phase: 'reset', durationMs: 5 }, undefined],
])('an operator reads one line of %s, or none if it is part of each lease', (_what, event, expected) => {
  const text = operatorText({ ...at, ...event } as unknown as PoolEvent);
  if (expected === undefined) expect(text).toBeUndefined();
  else expect(text).toMatch(expected);
});
