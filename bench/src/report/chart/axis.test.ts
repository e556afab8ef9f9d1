import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisOf, lengthAxis, ratioAxis, timesAxis } from './axis.ts';

const labels = (axis: ReturnType<typeof axisOf>): readonly string[] => axis.ticks.map(({ label }) => label);

describe('axisOf', () => {
  test('is logarithmic only where values lie far apart', () => {
    expect(axisOf([1, 11], 'ms').kind).toBe('linear');
    expect(axisOf([1, 13], 'ms').kind).toBe('log');
  });

  test('has ticks at powers of ten, in the unit that fits', () => {
    expect(labels(axisOf([0.0008, 100], 'ms'))).toEqual(['1 µs', '10 µs', '100 µs', '1 ms', '10 ms', '100 ms']);
  });

  test('zero has a place on a logarithmic axis, left of everything, with its own tick', () => {
    const axis = axisOf([0, 1, 1000], 'ms');
    expect(axis.at(0)).toBe(0);
    expect(axis.at(1)).toBeGreaterThan(0);
    expect(labels(axis)[0]).toBe('0 ms');
  });

  test('one value alone stands in the middle', () => {
    expect(axisOf([7], 'ms').at(7)).toBeCloseTo(0.5);
  });

  test('whatever the values: each lies inside, order is kept, and no two labels touch on a phone', () => {
    const values = fc.array(
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: 0, max: 1e6, noNaN: true })),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(values, (all) => {
        const axis = axisOf(all, 'ms');
        const places = all.toSorted((left, right) => left - right).map((value) => axis.at(value));
        expect(places.every((place) => place >= 0 && place <= 1)).toBe(true);
        expect(places).toEqual(places.toSorted((left, right) => left - right));
        const ticks = axis.ticks.map(({ at }) => at);
        expect(ticks.every((at) => at >= 0 && at <= 1)).toBe(true);
        expect(ticks.slice(1).every((at, index) => at - ticks[index]! > 0.14)).toBe(true);
      }),
    );
  });
});

test('an axis of ratios has 1 in its middle, and twice as far as half', () => {
  const axis = ratioAxis([0.8, 1.9], 1.3);
  expect(axis.at(1)).toBeCloseTo(0.5);
  expect(axis.at(2) - axis.at(1)).toBeCloseTo(axis.at(1) - axis.at(0.5));
  expect(labels(axis)).toContain('1×');
});

test('an axis of distances to a floor shows the floor, even when all are far above it', () => {
  const axis = timesAxis([100, 300]);
  expect(axis.at(1)).toBeGreaterThan(0);
  expect(labels(axis)).toContain('1×');
});

test('an axis of lengths begins at zero and may be empty', () => {
  expect(lengthAxis(200, 'ms').at(100)).toBeCloseTo(0.5);
  expect(lengthAxis(0, 'ms').at(0)).toBe(0);
});
