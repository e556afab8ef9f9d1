import { type Clock, systemClock } from '@warmvm/core';
import { DisposeStack } from '@warmvm/local-host';
import { decideGate } from './gate.ts';
import { type BenchHost, isSimulated } from './host/bench-host.ts';
import { openHost } from './host/open-host.ts';
import type { HostRequest } from './host/subject-host.ts';
import { commitOf } from './measure/commit.ts';
import { watchEnvironment } from './measure/environment.ts';
import { GarbageWatch } from './measure/garbage.ts';
import { Recorder } from './measure/recorder.ts';
import { checkoutFolder, packageVersion } from './package-files.ts';
import type { ProgressListener } from './progress.ts';
import { type BenchResult, SCHEMA } from './result/bench-result.ts';
import type { SuiteResult } from './result/suite-result.ts';
import { runApart } from './run-apart.ts';
import type { Suite } from './suite.ts';
import { obstacleTo } from './suites.ts';
import type { Target } from './targets.ts';
import { judge } from './verdicts.ts';

/** What is run. */
export interface RunOptions {
  readonly suites: readonly Suite[];
  /** Whether the suites were asked for by name: then one that a driver cannot run is an error. */
  readonly named: boolean;
  readonly drivers: readonly string[];
  /** @default each suite's own */
  readonly samples?: number | undefined;
  /** Keeps in this process what is otherwise spread over several. @default true */
  readonly inProcess?: boolean;
  readonly targets: readonly Target[];
  /** Folder that paths of drivers are meant from. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: ProgressListener;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default the hosts of this repository, and modules */
  readonly open?: (driver: string, request: HostRequest) => Promise<BenchHost>;
}

/**
 * Runs suites one after the other, driver by driver.
 * @throws WARMVM_HOST_UNREACHABLE where a driver's host cannot be used; RangeError where no driver can run a suite that was
 * named; the signal's reason
 */
export async function runSuites(options: RunOptions): Promise<BenchResult> {
  const { signal, onProgress, targets, drivers, folder, clock = systemClock, open = openHost } = options;
  const startedAt = clock.now();
  const startedAtWallMs = clock.wallTimeMs();
  const results: SuiteResult[] = [];
  const say = (text: string): void => onProgress({ type: 'step', text });
  const leftOut = new Map<string, string>();
  const stack = new DisposeStack();
  try {
    const plan: (readonly [Suite, BenchHost])[] = [];
    for (const driver of drivers) {
      const host = stack.use(await open(driver, { folder, clock, signal, say }));
      for (const suite of options.suites) {
        const why = obstacleTo(suite, host, options.named);
        if (why === null) plan.push([suite, host]);
        else {
          leftOut.set(suite.name, why);
          onProgress({ type: 'suite-left-out', suite: suite.name, driver, why });
        }
      }
    }
    requirePlanned(options, plan, leftOut);
    onProgress({
      type: 'run-started',
      suites: plan.map(([{ name }, { driverName }]) => ({ suite: name, driver: driverName })),
    });
    for (const [suite, host] of plan) results.push(await runSuite(suite, host, options, clock));
  } finally {
    await stack[Symbol.asyncDispose]();
  }
  const verdicts = judge(targets, results);
  const result: BenchResult = {
    schema: SCHEMA,
    version: packageVersion(),
    commit: await commitOf(checkoutFolder() ?? folder),
    startedAt: new Date(startedAtWallMs).toISOString(),
    durationMs: Math.round(clock.now() - startedAt),
    suites: results,
    verdicts,
    comparison: null,
    gate: decideGate(verdicts, null),
  };
  return result;
}

async function runSuite(suite: Suite, host: BenchHost, options: RunOptions, clock: Clock): Promise<SuiteResult> {
  const { signal, onProgress, inProcess = true, folder } = options;
  if (!inProcess && 'processes' in suite && isSimulated(host)) {
    onProgress({ type: 'suite-started', suite: suite.name, driver: host.driverName, what: suite.what });
    const samples = options.samples ?? suite.defaultSamples;
    const onRound = (done: number, of: number): void => onProgress({ type: 'rounds', done, of });
    const { name, processes = 1 } = suite;
    const run = { suite: name, driver: host.driverName, samples, processes, folder, signal, onRound };
    const result = await runApart(run);
    onProgress({ type: 'suite-ended', result });
    return result;
  }
  const recorder = new Recorder();
  const context = {
    clock,
    signal,
    samples: options.samples ?? suite.defaultSamples,
    recorder,
    say: (text: string): void => onProgress({ type: 'step', text }),
    rounds: (done: number, of: number): void => onProgress({ type: 'rounds', done, of }),
  };
  onProgress({ type: 'suite-started', suite: suite.name, driver: host.driverName, what: suite.what });
  const environment = await watchEnvironment(host.facts, host.acceleration, clock.wallTimeMs());
  const garbage = new GarbageWatch();
  const startedAt = clock.now();
  try {
    await suite.run(context, host);
  } finally {
    await garbage.stop();
  }
  if (isSimulated(host) && 'simulated' in suite && !suite.simulated) {
    recorder.caveat('Machines are simulated: these are the times that the driver was told to take.');
  }
  const result: SuiteResult = {
    suite: suite.name,
    what: suite.what,
    driver: host.driverName,
    environment: environment.complete(garbage.collections),
    durationMs: Math.round(clock.now() - startedAt),
    ...recorder.result(),
  };
  onProgress({ type: 'suite-ended', result });
  return result;
}

/** What was asked for by name and can run nowhere is an error: nothing is skipped in silence. */
function requirePlanned(
  { suites, named, drivers }: RunOptions,
  plan: readonly (readonly [Suite, BenchHost])[],
  why: ReadonlyMap<string, string>,
): void {
  for (const suite of named ? suites : []) {
    if (plan.some(([planned]) => planned === suite)) continue;
    throw new RangeError(`suite ${suite.name} cannot be run with driver ${drivers.join(', ')}: ${why.get(suite.name)}`);
  }
}
