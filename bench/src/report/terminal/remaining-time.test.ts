import { describe, expect, test } from 'vitest';
import { RemainingTime } from './remaining-time.ts';

describe('RemainingTime', () => {
  test('knows nothing before the first round', () => {
    const remaining = new RemainingTime(0);
    expect(remaining.at(5_000)).toBeNull();
    expect(remaining.text(5_000)).toBe('');
  });

  test('does not take preparation for a part of every round', () => {
    const remaining = new RemainingTime(0);
    remaining.rounds(1, 10, 60_000);
    remaining.rounds(3, 10, 64_000);
    expect(remaining.at(64_000)).toBe(14_000);
    expect(remaining.text(64_000)).toBe('round 3 of 10, about 14 s left');
  });

  test('goes down between rounds, and never below zero', () => {
    const remaining = new RemainingTime(0);
    remaining.rounds(1, 3, 10_000);
    remaining.rounds(2, 3, 20_000);
    expect(remaining.at(24_000)).toBe(6_000);
    expect(remaining.at(99_000)).toBe(0);
  });

  test('speaks of minutes where seconds would claim too much, and of nothing at the end', () => {
    const remaining = new RemainingTime(0);
    remaining.rounds(1, 11, 30_000);
    expect(remaining.text(30_000)).toBe('round 1 of 11, about 5 min left');
    remaining.rounds(11, 11, 300_000);
    expect(remaining.text(300_000)).toBe('round 11 of 11');
  });
});
