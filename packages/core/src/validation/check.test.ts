import { describe, expect, test } from 'vitest';
import {
  checkChoice,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKeys,
  checkMethods,
  checkSignal,
  describeValue,
  LONGEST_TIMER_MS,
} from './check.ts';

describe('describeValue', () => {
  test.each([
    ['text', '"text"'],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    [() => {}, 'a function'],
    [[1, 2], 'an array'],
    [{ secret: 'x' }, 'an object'],
    [null, 'null'],
    [undefined, 'undefined'],
    [7, '7'],
    [Symbol('s'), 'Symbol(s)'],
  ])('shows %o as %s and never what is inside', (value, shown) => {
    expect(describeValue(value)).toBe(shown);
  });
});

describe('checkInteger', () => {
  test('gives back a whole number within its bounds, the bounds included', () => {
    expect([checkInteger('max', 1, 1, 3), checkInteger('max', 3, 1, 3)]).toEqual([1, 3]);
  });

  test.each([0, 4, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d with the bounds', (value) => {
    expect(() => checkInteger('max', value, 1, 3)).toThrow(
      new RangeError(`max is ${value}; expected a whole number from 1 to 3`),
    );
  });

  test('refuses what is no number as a type error', () => {
    expect(() => checkInteger('max', '3', 1, 3)).toThrow(new TypeError('max is "3"; expected a whole number'));
  });
});

describe('checkDurationMs', () => {
  test('takes fractions and the longest timer', () => {
    expect(checkDurationMs('leaseMs', 0.5, { minimum: 0 })).toBe(0.5);
    expect(checkDurationMs('leaseMs', LONGEST_TIMER_MS, { minimum: 0 })).toBe(LONGEST_TIMER_MS);
  });

  test('takes Infinity only where that is allowed', () => {
    expect(checkDurationMs('maxAgeMs', Number.POSITIVE_INFINITY, { minimum: 1, unbounded: true })).toBe(Infinity);
    expect(() => checkDurationMs('leaseMs', Number.POSITIVE_INFINITY, { minimum: 1 })).toThrow(/leaseMs is Infinity/);
  });

  test('refuses what a timer cannot keep', () => {
    expect(() => checkDurationMs('leaseMs', LONGEST_TIMER_MS + 1, { minimum: 0 })).toThrow(RangeError);
  });

  test('names Infinity among what it expects where that is allowed', () => {
    expect(() => checkDurationMs('maxAgeMs', 0, { minimum: 1, unbounded: true })).toThrow(/2147483647, or Infinity$/);
  });
});

describe('the other checks', () => {
  test('checkChoice names every choice', () => {
    expect(checkChoice('reset', 'auto', ['auto', 'never'])).toBe('auto');
    expect(() => checkChoice('reset', true, ['auto', 'never'])).toThrow(
      new TypeError('reset is true; expected "auto" or "never"'),
    );
  });

  test('checkFunction says what kind of function it expects', () => {
    expect(() => checkFunction('probe', {}, 'a function of the guest')).toThrow(
      new TypeError('probe is an object; expected a function of the guest'),
    );
  });

  test('checkMethods names the method that is missing', () => {
    expect(() => checkMethods('clock', { now: () => 0 }, ['now', 'setTimer'], 'a Clock')).toThrow(
      new TypeError('clock.setTimer is undefined; expected a function: a Clock'),
    );
    expect(() => checkMethods('clock', null, [], 'a Clock')).toThrow(new TypeError('clock is null; expected a Clock'));
  });

  test('checkSignal takes a signal or nothing', () => {
    const { signal } = new AbortController();
    expect([checkSignal('signal', signal), checkSignal('signal', undefined)]).toEqual([signal, undefined]);
    expect(() => checkSignal('signal', null)).toThrow(new TypeError('signal is null; expected an AbortSignal'));
  });

  test('checkKeys refuses a name that no option has', () => {
    checkKeys('options', { max: 1 }, ['max']);
    expect(() => checkKeys('options', { maximum: 1 }, ['max', 'name'])).toThrow(
      new TypeError('options.maximum is not an option; known are max, name'),
    );
  });
});
