/** How a job ended. `failed` and `timed-out` are its own doing; `error` is that of its list, its machine or the host. */
export type Outcome = 'passed' | 'failed' | 'timed-out' | 'error';

/** One step that was begun. */
export interface StepReport {
  readonly command: readonly string[];
  /** Null when it did not end by itself. */
  readonly exitCode: number | null;
  readonly durationMs: number;
}

/** What became of a job. */
export interface JobReport {
  readonly name: string;
  readonly outcome: Outcome;
  /** Why it did not pass; empty where it did. */
  readonly message: string;
  /** Until a clean machine was there. */
  readonly waitedMs: number;
  /** With the machine: files in, steps, artifacts out. */
  readonly durationMs: number;
  /** Null when it never got one. */
  readonly machineId: string | null;
  readonly steps: readonly StepReport[];
  /** Names of the artifacts that are in the folder of results. */
  readonly artifacts: readonly string[];
  /** The last lines of its output. */
  readonly tail: readonly string[];
}

/** What `summary.json` holds. */
export interface Summary {
  readonly schema: 1;
  /** Drivers as the configuration names them. */
  readonly drivers: readonly string[];
  readonly passed: boolean;
  readonly durationMs: number;
  readonly jobs: readonly JobReport[];
}
