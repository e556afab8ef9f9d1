import { fileURLToPath } from 'node:url';
import { systemClock } from '@warmvm/core';
import { chooseScene, type HypervisorFacts } from 'warmvm/measure';
import { decideGate } from './gate.ts';
import { type LibvirtHost, openLibvirtHost } from './host/libvirt-host.ts';
import { commitOf } from './measure/commit.ts';
import { watchEnvironment } from './measure/environment.ts';
import { GarbageWatch } from './measure/garbage.ts';
import { Recorder } from './measure/recorder.ts';
import type { ProgressListener } from './progress.ts';
import { type BenchResult, SCHEMA } from './result/bench-result.ts';
import type { SuiteResult } from './result/suite-result.ts';
import type { Suite } from './suite.ts';
import type { Target } from './targets.ts';
import { judge } from './verdicts.ts';

/** What is run. */
export interface RunOptions {
  readonly suites: readonly Suite[];
  /** @default each suite's own */
  readonly samples?: number;
  readonly targets: readonly Target[];
  readonly signal: AbortSignal;
  readonly onProgress: ProgressListener;
}

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const NO_HYPERVISOR: HypervisorFacts = {
  hypervisor: 'embedded fake',
  accelerationReason: 'machines are simulated in memory',
  subreaper: 'none',
  storage: 'memory',
};

/**
 * Runs suites one after the other.
 * @throws WARMVM_HOST_UNREACHABLE where a suite needs libvirt and it cannot be used; the signal's reason
 */
export async function runSuites(options: RunOptions): Promise<BenchResult> {
  const { suites, signal, onProgress, targets } = options;
  const startedAt = systemClock.now();
  const startedAtWallMs = systemClock.wallTimeMs();
  const results: SuiteResult[] = [];
  let host: LibvirtHost | undefined;
  onProgress({ type: 'run-started', suites: suites.map(({ name, driver }) => ({ suite: name, driver })) });
  try {
    for (const suite of suites) {
      onProgress({ type: 'suite-started', suite: suite.name, driver: suite.driver, what: suite.what });
      if (suite.driver === 'libvirt' && host === undefined) {
        const say = (text: string): void => onProgress({ type: 'step', text });
        await chooseScene('libvirt', say, signal);
        host = await openLibvirtHost(signal, say);
      }
      const result = await runSuite(suite, host, options);
      results.push(result);
      onProgress({ type: 'suite-ended', result });
    }
  } finally {
    await host?.[Symbol.asyncDispose]();
  }
  const verdicts = judge(targets, results);
  const result: BenchResult = {
    schema: SCHEMA,
    commit: await commitOf(REPOSITORY),
    startedAt: new Date(startedAtWallMs).toISOString(),
    durationMs: Math.round(systemClock.now() - startedAt),
    suites: results,
    verdicts,
    comparison: null,
    gate: decideGate(verdicts, null),
  };
  onProgress({ type: 'run-ended', result });
  return result;
}

async function runSuite(suite: Suite, host: LibvirtHost | undefined, options: RunOptions): Promise<SuiteResult> {
  const { signal, onProgress } = options;
  const clock = systemClock;
  const recorder = new Recorder();
  const context = {
    clock,
    signal,
    samples: options.samples ?? suite.defaultSamples,
    recorder,
    say: (text: string): void => onProgress({ type: 'step', text }),
    rounds: (done: number, of: number): void => onProgress({ type: 'rounds', done, of }),
  };
  const real = suite.driver === 'libvirt' ? host : undefined;
  const environment = await watchEnvironment(
    real?.facts ?? NO_HYPERVISOR,
    real?.acceleration ?? 'none',
    clock.wallTimeMs(),
  );
  const garbage = new GarbageWatch();
  const startedAt = clock.now();
  try {
    if (suite.driver === 'fake') await suite.run(context);
    else await suite.run(context, host!);
  } finally {
    await garbage.stop();
  }
  return {
    suite: suite.name,
    what: suite.what,
    driver: suite.driver,
    environment: environment.complete(garbage.collections),
    durationMs: Math.round(clock.now() - startedAt),
    ...recorder.result(),
  };
}
