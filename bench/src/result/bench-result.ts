import type { Comparison } from './comparison.ts';
import type { SuiteResult } from './suite-result.ts';
import type { Verdict } from './verdict.ts';

/** Number of the file format. Readers refuse every other. */
export const SCHEMA = 2;

/** What `--gate` says. */
export interface Gate {
  readonly passed: boolean;
  /** Why not, each a sentence; empty when it passed. */
  readonly reasons: readonly string[];
}

/** One run of the bench app: what `--json` writes and every report is made from. */
export interface BenchResult {
  readonly schema: typeof SCHEMA;
  /** Of `@warmvm/bench`; null in files of versions that did not note it. */
  readonly version: string | null;
  /** Of the checkout that was measured; null outside of one. Ends in `+` where files had been changed. */
  readonly commit: string | null;
  /** ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly suites: readonly SuiteResult[];
  readonly verdicts: readonly Verdict[];
  /** Null without `--compare`. */
  readonly comparison: Comparison | null;
  /** Decided in every run; only with `--gate` does it change the exit code. */
  readonly gate: Gate;
}
