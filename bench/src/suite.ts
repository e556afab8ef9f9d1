import type { Clock } from '@warmvm/core';
import type { Environment } from 'warmvm/measure';
import type { LibvirtHost } from './host/libvirt-host.ts';
import type { GarbageCollections } from './measure/garbage.ts';
import type { Recorder, Recording } from './measure/recorder.ts';

/** What every suite is given. */
export interface SuiteContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Samples of each figure; a suite that works in blocks rounds up to whole ones. */
  readonly samples: number;
  readonly recorder: Recorder;
  /** Tells a person where the suite is. */
  readonly say: (text: string) => void;
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

/** One run of one suite, as it is written to a file. */
export interface SuiteResult extends Recording {
  readonly suite: string;
  readonly driver: Suite['driver'];
  readonly acceleration: string;
  readonly environment: Environment;
  readonly loadAverageAtEnd: readonly number[];
  readonly garbageCollections: GarbageCollections;
  readonly durationMs: number;
}
