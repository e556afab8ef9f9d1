import { describe, expect, test } from 'vitest';
import type { KitReport, KitResult } from '../packages/driver-testkit/src/index.ts';
import { reportProblems, supportMatrix } from './support-matrix.ts';

const result = (id: string, outcome: KitResult['result']): KitResult => ({
  id,
  clause: id,
  title: id,
  result: outcome,
  durationMs: 1,
});

const report: KitReport = {
  schema: 1,
  kitVersion: '0.1.0',
  driver: 'one',
  capabilities: {
    reset: 'disk',
    stateEvents: true,
    guestAgent: false,
    forkCost: 'boot',
    concurrentForks: 2,
    survivesReconnect: false,
  },
  node: 'v24.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 5,
  results: [result('RESET-1', 'passed'), result('RESET-2', 'not-applicable'), result('FORK-1', 'passed')],
  leftBehind: [],
};

describe('the support matrix', () => {
  test('has a column for each report and a row for each ability and group', () => {
    const reports = [
      { file: 'one.json', report },
      { file: 'two.json', report: { ...report, driver: 'two', results: [result('FORK-1', 'passed')] } },
    ];
    const lines = supportMatrix(reports, ['FORK-1', 'RESET-1', 'RESET-2']).split('\n');
    expect(lines.slice(0, 2)).toEqual(['|  | `one` | `two` |', '| --- | ---: | ---: |']);
    expect(lines).toContain('| reset | disk | disk |');
    expect(lines).toContain('| guest agent | no | no |');
    expect(lines).toContain('| clauses FORK | 1 passed | 1 passed |');
    expect(lines).toContain('| clauses RESET | 1 passed, 1 n/a | 0 passed, 2 newer |');
    expect(lines).toContain('| whole kit | 2 passed, 1 n/a | 1 passed, 2 newer |');
    expect(lines.at(-1)).toContain('[two.json](docs/conformance/two.json)');
  });

  test('takes no report of a driver that breaks the contract, leaves something, or of another shape', () => {
    expect(reportProblems({ file: 'a', report })).toEqual([]);
    const failed = { ...report, results: [...report.results, result('FORK-2', 'failed')] };
    expect(reportProblems({ file: 'a', report: failed })).toEqual([expect.stringContaining('failed: FORK-2')]);
    expect(reportProblems({ file: 'a', report: { ...report, leftBehind: ['x'] } })).toHaveLength(1);
    expect(reportProblems({ file: 'a', report: { ...report, results: [] } })).toHaveLength(1);
    expect(reportProblems({ file: 'a', report: { ...report, schema: 2 as 1 } })).toHaveLength(1);
  });
});
