import type { Clock } from '@warmvm/core';
import type { LibvirtHost } from './host/libvirt-host.ts';
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

/** A suite in this process alone. */
export interface FakeSuite extends SuiteFacts {
  readonly driver: 'fake';
  run(context: SuiteContext): Promise<void>;
}

/** A suite that needs a libvirt daemon. */
export interface LibvirtSuite extends SuiteFacts {
  readonly driver: 'libvirt';
  run(context: SuiteContext, host: LibvirtHost): Promise<void>;
}

/** Figures that are measured together. */
export type Suite = FakeSuite | LibvirtSuite;
