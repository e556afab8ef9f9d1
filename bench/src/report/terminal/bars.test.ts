import { expect, test } from 'vitest';
import { axisOf, lengthAxis } from '../chart/axis.ts';
import { histogram, stackedBar } from './bars.ts';

test('a histogram is tallest where most samples lie, and empty where none do', () => {
  const samples = [1, 1, 1, 1, 1, 1, 1, 1, 9];
  const row = histogram(samples, lengthAxis(10, 'ms'), 10);
  expect(row).toBe(' █       ▁');
});

test('the greatest sample has its place inside', () => {
  const samples = [1, 2, 1000];
  expect(histogram(samples, axisOf(samples, 'ms'), 8)).toHaveLength(8);
  expect(histogram([10], lengthAxis(10, 'ms'), 4)).toBe('   █');
});

test('a part that took any time at all is seen in a bar', () => {
  expect(stackedBar([99.9, 0.1, 0], 100, 10, ['a', 'b', 'c'])).toBe('aaaaaaaaaab');
  expect(stackedBar([0, 0], 0, 10, ['a', 'b'])).toBe('');
});
