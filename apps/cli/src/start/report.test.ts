import { describe, expect, test } from 'vitest';
import type { MeasuredFigure } from './figures.ts';
import { duration, reportTable } from './report.ts';

describe('duration', () => {
  test.each([
    [0.0451, '45.1 µs'],
    [0.9994, '999 µs'],
    [1, '1 ms'],
    [17.54, '17.5 ms'],
    [361.4, '361 ms'],
    [1000, '1.00 s'],
    [5934, '5.93 s'],
    [61_000, '61.0 s'],
    [1_040_400, '1040 s'],
  ])('of %d ms reads %s', (durationMs, text) => {
    expect(duration(durationMs)).toBe(text);
  });
});

describe('reportTable', () => {
  const figure: MeasuredFigure = {
    id: 'reset',
    what: 'release until ready',
    statedMs: 1000,
    stated: '< 1 s',
    statistic: 'p50',
    measuredMs: 361,
    samples: 3,
    met: true,
  };
  const rowOf = (changes: Partial<MeasuredFigure>): readonly string[] =>
    reportTable([{ ...figure, ...changes }])
      .split('\n')
      .find((line) => line.includes(figure.what))!
      .split('│')
      .map((cell) => cell.trim())
      .slice(1, -1);

  test('shows what is stated beside what was measured, and whether that is enough', () => {
    expect(rowOf({})).toEqual(['reset', 'release until ready', '< 1 s', 'p50 361 ms', '3', 'met']);
    expect(rowOf({ met: false }).at(-1)).toBe('missed');
    expect(rowOf({ met: null }).at(-1)).toBe('');
  });

  test('names no statistic over a single sample', () => {
    expect(rowOf({ samples: 1 })[3]).toBe('361 ms');
  });
});
