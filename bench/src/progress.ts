import type { BenchResult } from './result/bench-result.ts';
import type { SuiteResult } from './result/suite-result.ts';

/** What a run tells while it runs, for whoever shows it. */
export type BenchProgress =
  | { readonly type: 'run-started'; readonly suites: readonly { readonly suite: string; readonly driver: string }[] }
  | { readonly type: 'suite-left-out'; readonly suite: string; readonly driver: string; readonly why: string }
  | { readonly type: 'suite-started'; readonly suite: string; readonly driver: string; readonly what: string }
  /** Words for people on where the suite is. */
  | { readonly type: 'step'; readonly text: string }
  /** So many of a suite's rounds are done; rounds of one suite take about equally long. */
  | { readonly type: 'rounds'; readonly done: number; readonly of: number }
  | { readonly type: 'suite-ended'; readonly result: SuiteResult }
  | { readonly type: 'run-ended'; readonly result: BenchResult };

export type ProgressListener = (progress: BenchProgress) => void;
