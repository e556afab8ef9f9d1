import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

function take(backoff: Backoff, count: number): readonly number[] {
  const delays = backoff[Symbol.iterator]();
  return Array.from({ length: count }, () => delays.next().value);
}

describe('Backoff.statePolling', () => {
  test('waits 50, 100, 200, 400 and then 500 ms for ever', () => {
    expect(take(Backoff.statePolling(), 7)).toEqual([50, 100, 200, 400, 500, 500, 500]);
  });

  test('begins anew for each user', () => {
    const policy = Backoff.statePolling();
    take(policy, 3);
    expect(take(policy, 2)).toEqual([50, 100]);
  });
});

describe('Backoff.exponential', () => {
  test('doubles from the base to the cap without jitter', () => {
    const policy = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });
    expect(take(policy, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('draws evenly between the base and the doubled delay with full jitter, which is the default', () => {
    const policy = Backoff.exponential({ baseMs: 100, capMs: 1_000 }, () => 0.5);
    expect(take(policy, 5)).toEqual([100, 150, 250, 450, 550]);
  });

  test('draws up to three times the delay before with decorrelated jitter', () => {
    const policy = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'decorrelated' }, () => 0.5);
    expect(take(policy, 4)).toEqual([200, 350, 550, 550]);
  });

  test('keeps the state of two users apart', () => {
    const policy = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'decorrelated' }, () => 0.5);
    const [first, second] = [policy[Symbol.iterator](), policy[Symbol.iterator]()];
    first.next();
    first.next();
    expect(second.next().value).toBe(200);
  });

  test('never leaves the bounds, whatever the random numbers', () => {
    const jitters = fc.constantFrom('full' as const, 'decorrelated' as const, 'none' as const);
    const numbers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 0, max: 1e6 }),
        jitters,
        numbers,
        (baseMs, more, jitter, random) => {
          let index = 0;
          const next = (): number => random[index++ % random.length]!;
          for (const delayMs of take(Backoff.exponential({ baseMs, capMs: baseMs + more, jitter }, next), 40)) {
            expect(delayMs).toBeGreaterThanOrEqual(baseMs);
            expect(delayMs).toBeLessThanOrEqual(baseMs + more);
          }
        },
      ),
    );
  });

  test.each([
    [{ baseMs: 0, capMs: 10 }, RangeError, /baseMs is 0; expected milliseconds from 1/],
    [{ baseMs: 20, capMs: 10 }, RangeError, /capMs is 10; expected milliseconds from 20/],
    [{ baseMs: Number.NaN, capMs: 10 }, RangeError, /baseMs is NaN/],
    [{ baseMs: '5', capMs: 10 }, TypeError, /baseMs is "5"; expected a number of milliseconds/],
    [
      { baseMs: 5, capMs: 10, jitter: 'some' },
      TypeError,
      /jitter is "some"; expected "full" or "decorrelated" or "none"/,
    ],
  ])('refuses %o', (options, kind, message) => {
    const make = (): unknown => Backoff.exponential(options as Parameters<typeof Backoff.exponential>[0]);
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });

  test('refuses a random that is no function', () => {
    expect(() => Backoff.exponential({ baseMs: 1, capMs: 2 }, 7 as never)).toThrow(/random is 7; expected a function/);
  });
});
