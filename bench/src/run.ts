import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { systemClock } from '@warmvm/core';
import { chooseScene, describeEnvironment, type HypervisorFacts } from 'warmvm/measure';
import { type LibvirtHost, openLibvirtHost } from './host/libvirt-host.ts';
import { GarbageWatch } from './measure/garbage.ts';
import { Recorder } from './measure/recorder.ts';
import { environmentText, figureTable, targetTable } from './report.ts';
import type { Suite, SuiteResult } from './suite.ts';
import { parseTargets } from './targets.ts';

/** What is run, and where the result goes. */
export interface RunOptions {
  readonly suites: readonly Suite[];
  /** @default each suite's own */
  readonly samples?: number;
  readonly json?: string;
  readonly signal: AbortSignal;
  readonly write: (text: string) => void;
}

const NO_HYPERVISOR: HypervisorFacts = {
  hypervisor: 'embedded fake',
  accelerationReason: 'machines are simulated in memory',
  subreaper: 'none',
  storage: 'memory',
};

/**
 * Runs suites one after the other and prints what they found.
 * @throws WARMVM_HOST_UNREACHABLE where a suite needs libvirt and it cannot be used; the signal's reason
 */
export async function runSuites(options: RunOptions): Promise<void> {
  const { suites, signal, write } = options;
  const say = (text: string): void => write(`  ${text}\n`);
  const targets = parseTargets(await readFile(new URL('../targets.json', import.meta.url), 'utf8'));
  const results: SuiteResult[] = [];
  let host: LibvirtHost | undefined;
  try {
    for (const suite of suites) {
      write(`${suite.name}: ${suite.what}\n`);
      if (suite.driver === 'libvirt' && host === undefined) {
        await chooseScene('libvirt', say, signal);
        host = await openLibvirtHost(signal, say);
      }
      const result = await runSuite(suite, host, options, say);
      results.push(result);
      write(`${environmentText(result)}\n${figureTable(result)}\n\n`);
    }
  } finally {
    await host?.[Symbol.asyncDispose]();
  }
  write(`${targetTable(results, targets)}\n`);
  if (options.json === undefined) return;
  await writeFile(options.json, `${JSON.stringify({ schema: 1, suites: results }, null, 2)}\n`);
  write(`written to ${options.json}\n`);
}

async function runSuite(
  suite: Suite,
  host: LibvirtHost | undefined,
  options: RunOptions,
  say: (text: string) => void,
): Promise<SuiteResult> {
  const clock = systemClock;
  const recorder = new Recorder();
  const context = { clock, signal: options.signal, samples: options.samples ?? suite.defaultSamples, recorder, say };
  const real = suite.driver === 'libvirt' ? host : undefined;
  const environment = await describeEnvironment(real?.facts ?? NO_HYPERVISOR, clock.wallTimeMs());
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
    driver: suite.driver,
    acceleration: real?.acceleration ?? 'none',
    environment,
    loadAverageAtEnd: loadavg().map((value) => Math.round(value * 100) / 100),
    garbageCollections: garbage.collections,
    durationMs: Math.round(clock.now() - startedAt),
    ...recorder.result(),
  };
}
