import { describe, expect, test } from 'vitest';
import { figuresTable, formatMs, percentileBounds, recordProblems, type StartRecord } from './readme-figures.ts';

const record: StartRecord = {
  schema: 1,
  driver: 'qemu',
  acceleration: 'tcg',
  environment: { cpuCount: 2, hypervisor: 'QEMU 7.2', nested: {} },
  stages: { fork: { samplesMs: [10, 20, 30], p50: 20, p99: 30 } },
  figures: [
    { id: 'fork', what: 'one fork', stated: '< 2 s' },
    { id: 'never', what: 'not measured', stated: '-' },
  ],
  ratios: { 'fork / boot': 0.25 },
  proofs: {},
};

describe('figures', () => {
  test.each([
    [0.0421, '42.1 µs'],
    [12.345, '12.3 ms'],
    [2_345, '2.35 s'],
  ])('%d ms is written %s', (valueMs, text) => {
    expect(formatMs(valueMs)).toBe(text);
  });

  test('a percentile may be any between its neighbours', () => {
    expect(percentileBounds([3, 1, 2, 4], 0.5)).toEqual({ low: 2, high: 3 });
    expect(percentileBounds([7], 0.99)).toEqual({ low: 7, high: 7 });
  });

  test('a record is believed only if its percentiles are those of its samples', () => {
    expect(recordProblems('a', record)).toEqual([]);
    const wrong = { ...record, stages: { fork: { samplesMs: [10, 20, 30], p50: 11, p99: 5 } } };
    // 11 lies below the middle sample, 5 below all.
    expect(recordProblems('a', wrong)).toHaveLength(2);
  });

  test('a record of another schema or without samples is refused', () => {
    expect(recordProblems('a', { ...record, schema: 2 as 1 })).toHaveLength(1);
    expect(recordProblems('a', { ...record, stages: {} })).toHaveLength(1);
    expect(recordProblems('a', { ...record, stages: { x: { samplesMs: [], p50: 1, p99: 1 } } })).toHaveLength(1);
  });

  test('the table names the run it is from and how many samples', () => {
    const table = figuresTable([['start-a.json', record]]);
    expect(table).toContain('bench/baselines/start-a.json');
    expect(table).toContain('| fork | one fork | < 2 s | 20 ms | 30 ms | 3 |');
    expect(table).toContain('hypervisor QEMU 7.2, cpuCount 2');
    expect(table).toContain('| fork / boot | 0.25 |');
    expect(table).not.toMatch(/object|never/);
  });
});
