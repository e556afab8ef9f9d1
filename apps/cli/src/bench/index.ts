import { type BenchRequest, runBench } from '@warmvm/bench';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import type { DriverFacts } from '../place/choose-driver.ts';
import { LOCAL_FACTS } from '../place/open-source.ts';
import type { BenchAgainstOptions, BenchCompareOptions, BenchOptions, BenchRunOptions } from './command.ts';

type Run = typeof runBench;

/** Runs suites. Resolves with the exit code: 1 also where the gate does not let the figures pass. */
export function runBenchCommand(
  suites: readonly string[],
  { list, compare, acrossHosts, inProcess, ...options }: BenchRunOptions,
  output: Output,
  run: Run = runBench,
): Promise<number> {
  return interruptibly(output, run, async () =>
    list === true
      ? { kind: 'list' }
      : {
          ...(await common(suites, options)),
          kind: 'run',
          compare,
          acrossHosts: acrossHosts === true,
          inProcess: inProcess === true,
        },
  );
}

/** Runs another commit in turns with this checkout. Resolves as {@link runBenchCommand}. */
export function runBenchCompareCommand(
  ref: string,
  suites: readonly string[],
  { blocks, ...options }: BenchCompareOptions,
  output: Output,
  run: Run = runBench,
): Promise<number> {
  return interruptibly(output, run, async () => ({
    ...(await common(suites, options)),
    kind: 'compare-ref',
    ref,
    blocks,
  }));
}

/** Runs another driver in turns with the one that was named. Resolves as {@link runBenchCommand}. */
export function runBenchAgainstCommand(
  against: string,
  suites: readonly string[],
  { blocks, driver, ...options }: BenchAgainstOptions,
  output: Output,
  run: Run = runBench,
): Promise<number> {
  return interruptibly(output, run, async () => ({
    ...(await common(suites, { ...options, driver: [driver] })),
    kind: 'compare-driver',
    against,
    blocks,
  }));
}

function interruptibly(output: Output, run: Run, request: () => Promise<BenchRequest>): Promise<number> {
  return runInterruptibly(output, async (signal) => run(await request(), { signal }));
}

async function common(suites: readonly string[], { driver, gate, ...rest }: BenchOptions) {
  return { ...rest, suites, drivers: driver ?? (await defaultDrivers()), gate: gate === true };
}

/** The fake, and the hypervisor that `warmvm run` would take; the fake alone where there is none. */
export async function defaultDrivers(facts: DriverFacts = LOCAL_FACTS): Promise<readonly string[]> {
  if (await facts.hasQemu()) return ['fake', 'qemu'];
  return (await facts.hasLibvirt()) ? ['fake', 'libvirt'] : ['fake'];
}
