import { describe, expect, test } from 'vitest';
import { change, moment, plain, quantity, timesFloorWords } from './quantity.ts';

describe('quantity', () => {
  test.each([
    [0, 'ms', '0 ms'],
    [0.000782, 'ms', '782 ns'],
    [0.0658, 'ms', '65.8 µs'],
    [0.9999, 'ms', '1 ms'],
    [60.603, 'ms', '60.6 ms'],
    [999.6, 'ms', '1 s'],
    [107_989, 'ms', '108 s'],
    [128_080, 'ms', '2.13 min'],
    [473.62, 'bytes', '474 B'],
    [25_276_063_744, 'bytes', '23.5 GiB'],
    [1_857_200, 'calls/s', '1.86 M/s'],
    [42, 'machines/min', '42/min'],
    [0, 'count', '0'],
    [1_234_567, 'count', '1,230,000'],
    [0.0957, 'ratio', '0.0957×'],
  ] as const)('writes %d %s as %s', (value, unit, text) => {
    expect(quantity(value, unit)).toBe(text);
  });

  test('never writes an exponent', () => {
    expect(plain(1.2345e9)).toBe('1,230,000,000');
    expect(plain(1.2345e-9)).not.toContain('e');
  });
});

test.each([
  [1.123, '+12 %'],
  [0.9192, '−8.1 %'],
  [1.0001, '0 %'],
  [4.21, '4.21×'],
])('a ratio of %d is a change of %s', (ratio, text) => {
  expect(change(ratio)).toBe(text);
});

test('the distance to a floor is said in words, both ways', () => {
  expect(timesFloorWords(3.484)).toBe('3.48× better than the floor');
  expect(timesFloorWords(0.25)).toBe('4× short of the floor');
});

test('a moment reads the same on every computer, and what is none stays as it is', () => {
  expect(moment('2026-11-23T13:17:52.347Z')).toBe('23 Nov 2026, 13:17 UTC');
  expect(moment('yesterday')).toBe('yesterday');
});
