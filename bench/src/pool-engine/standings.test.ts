import { describe, expect, test } from 'vitest';
import { spreadText, standingOf } from './standings.ts';

describe('standingOf', () => {
  test('takes the peer with the least median, and divides round by round', () => {
    const entrants = [
      { name: 'ours', cpuMs: [1, 2, 1] },
      { name: 'slow', cpuMs: [9, 9, 0.1] },
      { name: 'fast', cpuMs: [2, 3, 9] },
    ];
    expect(standingOf('ours', entrants)).toEqual({ fastestPeer: 'fast', ratios: [2, 1.5, 9] });
  });

  test('refuses to stand alone', () => {
    expect(() => standingOf('ours', [{ name: 'ours', cpuMs: [1] }])).toThrow('expected ours and a peer');
  });

  test('refuses rounds that do not match', () => {
    const entrants = [
      { name: 'ours', cpuMs: [1] },
      { name: 'peer', cpuMs: [1, 2] },
    ];
    expect(() => standingOf('ours', entrants)).toThrow('rounds differ from the 1 of ours');
  });
});

describe('spreadText', () => {
  test('leaves the odd round out', () => {
    const ratios = [100, ...Array.from({ length: 19 }, () => 2), 0.01];
    expect(spreadText(ratios)).toBe('median 2.00, 2.00 to 2.00 in nine of ten rounds');
  });
});
