import { describe, expect, test } from 'vitest';
import type { Contender } from './contender.ts';
import { type Course, race } from './race.ts';

const WARM_UP_ROUNDS = 4;
const course: Course = {
  load: 'alone',
  work: 'none',
  resources: 5,
  callers: 2,
  cycles: 10,
  rounds: 3,
  deadlineMs: 30_000,
};

/** A contender that notes its letter for each acquire, and brackets where its recycling is held. */
function contender(name: string, log: string[]): Contender {
  return {
    name,
    open: async () => ({
      acquire: async () => {
        log.push(name);
        return {};
      },
      release: () => undefined,
      holdRecycling: () => {
        log.push('(');
        return async () => {
          log.push(')');
        };
      },
      close: async () => {
        log.push(`${name} closed`);
      },
    }),
  };
}

describe('race', () => {
  test('gives every contender its turn in each round, first and last in turn, and keeps no round of the warm-up', async () => {
    const log: string[] = [];
    const finishes = await race([contender('a', log), contender('b', log)], course);
    const rounds = Array.from({ length: WARM_UP_ROUNDS + course.rounds }, (_, round) => round % 2 === 0);
    const expected = rounds.map((even) => (even ? 'ab' : 'ba').replace(/./g, (name) => name.repeat(course.cycles)));
    expect(log.join('')).toBe(`${expected.join('')}a closedb closed`);
    expect(finishes.map(({ name, cpuMs, clockMs }) => [name, cpuMs.length, clockMs.length])).toEqual([
      ['a', 3, 3],
      ['b', 3, 3],
    ]);
    expect(finishes.every(({ clockMs }) => clockMs.every((value) => value > 0))).toBe(true);
  });

  test('lends at most what there is while recycling is held', async () => {
    const log: string[] = [];
    await race([contender('a', log)], { ...course, load: 'lend', rounds: 0 });
    expect(log.join('')).toBe(`${'(aaaaa)'.repeat(2 * WARM_UP_ROUNDS)}a closed`);
  });
});
