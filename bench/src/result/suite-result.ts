import type { BenchEnvironment } from './environment.ts';
import type { Figure } from './figure.ts';
import type { Ladder } from './ladder.ts';

/** Two figures of one run against each other: what holds on any computer. */
export interface Ratio {
  readonly value: number;
  /** Names of figures; `value` is `figure` divided by `reference`. */
  readonly figure: string;
  readonly reference: string;
  /** `medians`: one median by the other. `pairs`: the median of the quotients of samples that belong together. */
  readonly method: 'medians' | 'pairs';
  /** Between which it lies with 95 % confidence, by bootstrap; null where there are too few samples to tell. */
  readonly low: number | null;
  readonly high: number | null;
}

/** What a suite has found out. */
export interface Recording {
  readonly figures: Readonly<Record<string, Figure>>;
  /** By path, such as `fork` or `reset in place`. */
  readonly ladders: Readonly<Record<string, Ladder>>;
  readonly ratios: Readonly<Record<string, Ratio>>;
  /** Which path was taken, what was proved, and versions of what was compared with. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What weakens these figures, each a sentence. */
  readonly caveats: readonly string[];
}

/** One run of one suite on one driver. */
export interface SuiteResult extends Recording {
  readonly suite: string;
  /** One line for people. */
  readonly what: string;
  /** `fake`, `libvirt`, ..., or the package or path that was given. */
  readonly driver: string;
  readonly environment: BenchEnvironment;
  readonly durationMs: number;
}
