import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { choosePlace, type Place } from './placement.ts';

interface NamedPlace extends Place {
  readonly name: string;
}

function place(name: string, free: number, isOnTrial = false): NamedPlace {
  return { name, free, isOnTrial };
}

function never(): number {
  throw new Error('no random number is needed');
}

describe('the choice of a place', () => {
  test.each<[string, readonly NamedPlace[], boolean, string | undefined]>([
    ['none', [], false, undefined],
    ['none with room', [place('a', 0), place('b', -1)], false, undefined],
    ['the one there is', [place('a', 1)], true, 'a'],
    ['the one on trial where there is no other', [place('a', 0), place('b', 1, true)], true, 'b'],
    ['the roomiest', [place('a', 1), place('b', 3), place('c', 2)], false, 'b'],
    ['the roomiest, on trial or not, while nobody waits', [place('a', 1), place('b', 3, true)], false, 'b'],
    ['one that is not on trial while somebody waits', [place('a', 1), place('b', 3, true)], true, 'a'],
    ['the roomiest of those on trial', [place('a', 1, true), place('b', 3, true)], true, 'b'],
  ])('is %s', (_, places, isUrgent, name) => {
    expect(choosePlace(places, isUrgent, never)?.name).toBe(name);
  });

  test('falls on each of those that are equal, about equally often', () => {
    const places = [place('a', 2), place('b', 1), place('c', 2), place('d', 2)];
    const counts: Record<string, number> = { a: 0, b: 0, c: 0, d: 0 };
    let state = 1;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let round = 0; round < 3_000; round += 1) counts[choosePlace(places, false, random)!.name]! += 1;
    expect(counts.b).toBe(0);
    for (const name of ['a', 'c', 'd']) {
      expect(counts[name]).toBeGreaterThan(850);
      expect(counts[name]).toBeLessThan(1_150);
    }
  });

  test('is the best there is, and the same for the same random numbers', () => {
    const candidate = fc.record({ free: fc.integer({ min: -1, max: 4 }), isOnTrial: fc.boolean() });
    const numbers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
      minLength: 8,
      maxLength: 8,
    });
    const property = fc.property(
      fc.array(candidate, { maxLength: 8 }),
      fc.boolean(),
      numbers,
      (places, isUrgent, chances) => {
        const choose = (): Place | undefined => {
          let next = 0;
          return choosePlace(places, isUrgent, () => chances[next++]!);
        };
        const chosen = choose();
        expect(choose()).toBe(chosen);
        const open = places.filter(({ free }) => free > 0);
        const healthy = open.filter(({ isOnTrial }) => !isOnTrial);
        const among = isUrgent && healthy.length > 0 ? healthy : open;
        expect(chosen === undefined).toBe(open.length === 0);
        if (chosen === undefined) return;
        expect(among).toContain(chosen);
        expect(chosen.free).toBe(Math.max(...among.map(({ free }) => free)));
      },
    );
    fc.assert(property);
  });
});
