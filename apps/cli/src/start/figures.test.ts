import { describe, expect, test } from 'vitest';
import { compareFigures, STATED_FIGURES } from './figures.ts';

const stage = (p50: number, p99: number) => ({ samplesMs: [p50, p99], p50, p95: p99, p99, max: p99 });

describe('compareFigures', () => {
  test('has a row for each figure that was measured, in the order of the table', () => {
    const rows = compareFigures({ exec: stage(1, 2), boot: stage(1, 2), other: stage(1, 2) }, true);
    expect(rows.map(({ id }) => id)).toEqual(['boot', 'exec']);
    expect(rows[0]).toMatchObject({ samples: 2, stated: '< 2 s' });
  });

  test.each([
    [100, true],
    [100.001, false],
  ])('compares acquire by its p99: at %d ms met is %s', (p99, met) => {
    expect(compareFigures({ acquire: stage(1, p99) }, true)).toMatchObject([{ measuredMs: p99, met }]);
  });

  test('compares reset by its p50, whatever the slowest one took', () => {
    expect(compareFigures({ reset: stage(999, 5000) }, true)).toMatchObject([{ measuredMs: 999, met: true }]);
  });

  test('judges nothing where nothing is stated', () => {
    expect(compareFigures({ exec: stage(1, 2) }, true)).toMatchObject([{ met: null }]);
  });

  test('judges nothing on simulated machines', () => {
    expect(compareFigures({ acquire: stage(1, 2) }, false)).toMatchObject([{ met: null, measuredMs: 2 }]);
  });

  test('knows each figure by one id', () => {
    expect(new Set(STATED_FIGURES.map(({ id }) => id)).size).toBe(STATED_FIGURES.length);
  });
});
