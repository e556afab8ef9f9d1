import { describe, expect, test } from 'vitest';
import { prometheusName } from '../packages/prometheus/src/prometheus-name.ts';
import { eventFields, eventTableProblems, metricTable } from './telemetry-reference.ts';

const source = `/** What happened. */
export type PoolEventBody =
  | {
      readonly type: 'swept';
      /** The host; not \`readonly other: string\`. */
      readonly host: string;
      readonly failed: readonly { readonly id: string; readonly error: unknown }[];
      readonly slot?: number;
    }
  | { readonly type: 'suspended' | 'resumed' };

export type PoolEvent = PoolEventBody & { readonly pool: string };
`;

describe('events', () => {
  const fields = eventFields(source);

  test('are read from the union, with their own fields alone', () => {
    expect([...fields]).toEqual([
      ['swept', ['host', 'failed', 'slot?']],
      ['suspended', []],
      ['resumed', []],
    ]);
  });

  test('are the rows of the table', () => {
    const table = '| `swept` | `host`, `failed`, `slot?` | info | x |\n| `suspended`, `resumed` | | info | x |\n';
    expect(eventTableProblems(table, fields)).toEqual([]);
  });

  test.each([
    ['| `swept` | `host`, `failed` | |', 'swept has the fields host, failed, slot?, and not host, failed'],
    ['| `suspended` | | |', 'resumed is an event but not documented'],
    ['| `gone` | | |', 'gone is documented but no event'],
    ['| `swept` | | |\n| `swept` | | |', 'swept is documented twice'],
  ])('that are written down wrongly are told: %s', (table, problem) => {
    expect(eventTableProblems(table, fields)).toContain(problem);
  });
});

describe('metrics', () => {
  test('have names for Prometheus by the rules of OpenTelemetry', () => {
    expect(prometheusName('warmvm.pool.acquires', { kind: 'counter', unit: '{acquire}' })).toBe(
      'warmvm_pool_acquires_total',
    );
    expect(prometheusName('warmvm.pool.acquire.wait', { kind: 'histogram', unit: 's' })).toBe(
      'warmvm_pool_acquire_wait_seconds',
    );
    expect(prometheusName('warmvm.pool.min_ready', { kind: 'gauge' })).toBe('warmvm_pool_min_ready');
  });

  test('are rows with their labels and buckets', () => {
    const wait = {
      kind: 'histogram',
      unit: 's',
      description: 'Time',
      attributes: { pool: [], outcome: ['a', 'b'] },
    } as const;
    expect(
      metricTable({ 'x.wait': { ...wait, boundaries: [1, 2] } })
        .split('\n')
        .at(-1),
    ).toBe('| `x.wait`<br>`x_wait_seconds` | histogram | s | `pool`, `outcome` (a, b) | Time; buckets 1, 2 |');
  });
});
