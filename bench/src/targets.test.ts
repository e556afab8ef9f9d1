import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SUITES } from './suites.ts';
import { parseTargets, type Target } from './targets.ts';

const target: Target = {
  id: 'acquire',
  suite: 'acquire',
  figure: 'acquire',
  what: 'a lease',
  statistic: 'p99',
  unit: 'ms',
  better: 'lower',
  stated: '< 100 ms',
  statedBound: 100,
  floor: 1,
  goal: 0.1,
};

describe('targets.json', () => {
  const targets = parseTargets(readFileSync(new URL('../targets.json', import.meta.url), 'utf8'), 'targets.json');

  test('has a row for every suite, and none for a suite that is not there', () => {
    expect(new Set(targets.map(({ suite }) => suite))).toEqual(new Set(SUITES.map(({ name }) => name)));
  });
});

describe('parseTargets', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['a bound in words', { floor: 'low' }, '[1].floor: '],
    ['a statistic that there is not', { statistic: 'p42' }, '[1].statistic: '],
    ['a field that nobody knows', { flour: 1 }, '[1]: Unrecognized key: "flour"'],
    ['a goal below the floor', { goal: 2 }, '[1]: goal 2 asks less than floor 1, and lower is better'],
    ['a ratio in milliseconds', { statistic: 'ratio' }, '[1]: statistic ratio with unit ms'],
    ['a bound that nobody stated', { stated: null }, '[1]: statedBound without stated'],
    ['one id twice', { id: 'acquire', drivers: undefined }, 'acquire for every driver is there twice'],
  ];
  test.each(cases)('refuses %s', (_, change, message) => {
    const content = JSON.stringify([target, { ...target, id: 'other', ...change }]);
    expect(() => parseTargets(content, 'mine.json')).toThrow(message);
  });

  test('takes one id again for another driver', () => {
    const content = JSON.stringify([
      { ...target, drivers: ['qemu'] },
      { ...target, drivers: ['libvirt', 'libvirt-ssh'] },
    ]);
    expect(parseTargets(content, 'mine.json')).toHaveLength(2);
  });

  test('refuses anything but a list, and names the file', () => {
    expect(() => parseTargets('{}', 'mine.json')).toThrow('mine.json is no list of targets');
  });
});
