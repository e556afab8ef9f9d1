import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../lib/run.ts';
import { outsideOfTests } from './file-lines.ts';
import type { GateOutcome } from './gate.ts';

/** The parts of Vitest's JSON report that are read. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** Titles of the tests that did not run, with their files: nothing is skipped without being named. */
export function skippedTests(report: VitestReport): readonly string[] {
  return report.testResults.flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName, status }) => `${status}: ${fullName.trim()} (${file.name})`),
  );
}

/** What went wrong, test by test; files that failed as a whole (a syntax error, a failed hook) included. */
export function failures(report: VitestReport): readonly string[] {
  return report.testResults.flatMap((file) => {
    const tests = file.assertionResults
      .filter(({ status }) => status === 'failed')
      .map(
        ({ fullName, failureMessages }) => `${fullName.trim()} (${file.name})\n${(failureMessages ?? []).join('\n')}`,
      );
    return tests.length === 0 && file.status === 'failed' ? [`${file.name}\n${file.message ?? ''}`] : tests;
  });
}

/** Errors that belong to no test, from what the reporter of files printed: the JSON report does not contain them. */
export function errorsOutsideOfTests(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.startsWith(outsideOfTests));
}

/** How a project of Vitest is run. */
export interface VitestOptions {
  readonly signal: AbortSignal;
  readonly environment?: Readonly<Record<string, string>>;
  /** After this the run is ended and counts as failed. @default that of `run` */
  readonly timeoutMs?: number;
  /** Hears at once how each file ended, and which tests failed. */
  readonly onLine?: (line: string) => void;
}

/** Runs a Vitest project and reads the counts from its JSON report. */
export async function vitest(project: string, args: readonly string[], options: VitestOptions): Promise<GateOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-vitest-'));
  try {
    const file = join(folder, 'report.json');
    const lines = `--reporter=${join(import.meta.dirname, 'file-lines.ts')}`;
    const command = ['run', '--project', project, '--reporter=json', lines, `--outputFile.json=${file}`, ...args];
    const { exitCode, output } = await run('node_modules/.bin/vitest', command, options);
    if (!existsSync(file)) return { kind: 'failed', details: output };
    const report = JSON.parse(await readFile(file, 'utf8')) as VitestReport;
    const tests = { passed: report.numPassedTests, failed: report.numFailedTests };
    const skipped = skippedTests(report);
    const details = [
      ...failures(report),
      ...errorsOutsideOfTests(output),
      ...(skipped.length === 0 ? [] : ['did not run:', ...skipped]),
    ];
    if (exitCode === 0 && tests.passed > 0) {
      return { kind: 'passed', tests, ...(skipped.length > 0 ? { details: details.join('\n') } : {}) };
    }
    return { kind: 'failed', tests, details: [...details, output.slice(-6_000)].join('\n') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
