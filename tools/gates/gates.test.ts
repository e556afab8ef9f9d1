import { describe, expect, test } from 'vitest';
import FileLines from './file-lines.ts';
import { type Gate, type GateOutcome, runGates } from './gate.ts';
import { errorsOutsideOfTests, failures, skippedTests, type VitestReport } from './vitest.ts';

function gate(name: string, outcome: GateOutcome | Error, extra: Partial<Gate> = {}): Gate {
  return {
    name,
    ...extra,
    run: async () => {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
}

async function outcomeOf(gates: readonly Gate[], quick = false, signal: AbortSignal = new AbortController().signal) {
  const printed: string[] = [];
  const summary = await runGates(gates, { quick, signal, print: (text) => printed.push(text) });
  return { ...summary, text: printed.join('\n') };
}

describe('gates', () => {
  test('tests and gates are summed', async () => {
    const { passed, failed } = await outcomeOf([
      gate('a', { kind: 'passed' }),
      gate('b', { kind: 'passed', tests: { passed: 10, failed: 0 } }),
      gate('c', { kind: 'failed', tests: { passed: 4, failed: 1 }, details: 'x' }),
    ]);
    expect({ passed, failed }).toEqual({ passed: 16, failed: 2 });
  });

  test('what failed is shown, also when the gate itself breaks', async () => {
    const { failed, text } = await outcomeOf([
      gate('a', { kind: 'failed', details: 'why\nhow' }),
      gate('b', new Error('broken')),
    ]);
    expect(failed).toBe(2);
    expect(text).toContain('    | why\n    | how');
    expect(text).toContain('broken');
  });

  test('a gate whose ground failed is not run and counts as failed', async () => {
    const { failed, text } = await outcomeOf([
      gate('build', { kind: 'failed', details: 'x' }),
      gate('pack', { kind: 'passed' }, { needs: ['build'] }),
    ]);
    expect(failed).toBe(2);
    expect(text).toMatch(/NOT RUN\s+pack.*needs "build"/);
  });

  test('what could not run is named with its reason, and fails only where it had to run', async () => {
    const reason = 'no root';
    const optional = await outcomeOf([gate('real', { kind: 'notRun', reason, mandatory: false })]);
    const mandatory = await outcomeOf([gate('real', { kind: 'notRun', reason, mandatory: true })]);
    expect(optional.text).toMatch(/NOT RUN\s+real.*no root/);
    expect([optional.failed, mandatory.failed]).toEqual([0, 1]);
  });

  test('a quick check leaves slow gates out and says so', async () => {
    const { passed, text } = await outcomeOf([gate('slow', { kind: 'passed' }, { slow: true })], true);
    expect(passed).toBe(0);
    expect(text).toContain('left out slow');
  });

  test('after an interruption nothing is run and nothing counts as passed', async () => {
    const { passed, failed } = await outcomeOf([gate('a', { kind: 'passed' })], false, AbortSignal.abort());
    expect({ passed, failed }).toEqual({ passed: 0, failed: 1 });
  });
});

describe('the report of Vitest', () => {
  const report: VitestReport = {
    numPassedTests: 1,
    numFailedTests: 1,
    testResults: [
      {
        name: 'a.test.ts',
        status: 'failed',
        assertionResults: [
          { fullName: 'works', status: 'passed' },
          { fullName: 'breaks', status: 'failed', failureMessages: ['no'] },
          { fullName: 'waits', status: 'skipped' },
        ],
      },
      { name: 'b.test.ts', status: 'failed', message: 'syntax', assertionResults: [] },
    ],
  };

  test('names each skipped test', () => {
    expect(skippedTests(report)).toEqual(['skipped: waits (a.test.ts)']);
  });

  test('shows failed tests, and files that failed as a whole', () => {
    expect(failures(report)).toEqual(['breaks (a.test.ts)\nno', 'b.test.ts\nsyntax']);
  });
});

test('an error outside of every test is a reason that the gate gives', () => {
  const printed: string[] = [];
  new FileLines({ print: (text) => printed.push(text) }).onTestRunEnd([], [{ message: 'late rejection\nin a timer' }]);
  const output = ['x.test.ts 0.1 s  1 passed', ...printed, ''].join('\n');
  expect(errorsOutsideOfTests(output)).toEqual(['  failed: outside of tests: late rejection in a timer']);
});
