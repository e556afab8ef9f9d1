import type { Clock } from '@warmvm/core';
import type { BenchHost } from './host/bench-host.ts';
import type { Recorder } from './measure/recorder.ts';

/** What every suite is given. */
export interface SuiteContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Samples of each figure; a suite that works in blocks rounds up to whole ones. */
  readonly samples: number;
  readonly recorder: Recorder;
  /** Tells a person where the suite is. */
  readonly say: (text: string) => void;
  /** Tells how many of the rounds are done. */
  readonly rounds: (done: number, of: number) => void;
}

interface SuiteFacts {
  readonly name: string;
  /** One line for people. */
  readonly what: string;
  readonly defaultSamples: number;
}

/** A suite in this process alone, without any host: it goes with the driver `fake`. */
export interface FakeSuite extends SuiteFacts {
  readonly driver: 'fake';
  /** Why it cannot run on this computer, and what to do about it; null where it can. @default it can */
  readonly obstacle?: () => string | null;
  run(context: SuiteContext): Promise<void>;
}

/** A suite for every driver whose host has what it needs. */
export interface HostSuite extends SuiteFacts {
  /** Whether its figures mean anything where machines are simulated. Elsewhere it runs on the fake only when it is named. */
  readonly simulated: boolean;
  /** Processes that it is spread over where machines are simulated, and microseconds count. @default 1 */
  readonly processes?: number;
  /** What it cannot do without. */
  readonly needs: readonly (keyof BenchHost)[];
  run(context: SuiteContext, host: BenchHost): Promise<void>;
}

/** Figures that are measured together. */
export type Suite = FakeSuite | HostSuite;

/** A host that has what a suite needs. */
export type HostWith<Ability extends keyof BenchHost> = BenchHost & {
  readonly [Key in Ability]-?: NonNullable<BenchHost[Key]>;
};

/** @throws TypeError when the host lacks one: suites run only where they have what they need */
export function hostWith<Ability extends keyof BenchHost>(host: BenchHost, ...abilities: Ability[]): HostWith<Ability> {
  for (const ability of abilities) {
    if (host[ability] === undefined) throw new TypeError(`the host of ${host.driverName} has no ${String(ability)}`);
  }
  return host as HostWith<Ability>;
}
