import { type Driver, type Machine, WarmvmError } from '@warmvm/core';
import { DisposeStack } from '@warmvm/local-host';
import { alternate } from '../alternate.ts';
import { dirtFor } from '../dirt.ts';
import type { BenchHost, RunningWatch } from '../host/bench-host.ts';
import { watchRunningOf } from '../host/driver-running-watch.ts';
import { benchOwner } from '../owner.ts';
import type { HostSuite, SuiteContext } from '../suite.ts';

/** What becomes of a QEMU, where that tells which way was taken. */
function pathOf(way: string): 'same' | 'another' | undefined {
  return way.startsWith('in-place') ? 'same' : way === 'revert' ? 'another' : undefined;
}

/** One way of resetting, on a machine of one size. */
interface Subject {
  /** Such as `in-place, 256 MiB`. */
  readonly name: string;
  readonly way: string;
  readonly machine: Machine;
  /** Who tells when it runs; undefined when nobody does. */
  readonly watch: RunningWatch | undefined;
}

/** Dirty machines, brought back in every way that the driver has. */
export const resetSuite: HostSuite = {
  name: 'reset',
  what: 'a dirty machine brought back in every way the driver has, to running and to proved ready, by size of memory',
  defaultSamples: 20,
  simulated: false,
  needs: [],
  async run(context, host) {
    const { clock, signal, say, rounds, samples } = context;
    const stack = new DisposeStack();
    try {
      const watch = await host.watchRunning?.(signal);
      if (watch !== undefined) stack.use(watch);
      const subjects: Subject[] = [];
      for (const way of host.ways) {
        const driver = stack.use(await host.driver(way));
        for (const memoryBytes of host.memorySizes) {
          const name = `${way}, ${size(memoryBytes)}`;
          say(`a golden snapshot and a machine: ${name}`);
          const machine = await machineOf(driver, host, memoryBytes, signal);
          const own = host.driverTellsRunning === true ? stack.use(watchRunningOf(machine, clock)) : undefined;
          subjects.push({ name, way, machine, watch: watch ?? own });
        }
      }
      // Round 0 is warm-up.
      for (let round = 0; round <= samples; round += 1) {
        const turn = round === 0 ? { ...context, recorder: undefined } : context;
        await alternate(
          round,
          subjects.map((subject) => () => measure(turn, host, subject)),
        );
        if (round > 0) rounds(round, samples);
      }
    } finally {
      await stack[Symbol.asyncDispose]();
    }
    summarize(context, host);
  },
};

async function machineOf(driver: Driver, host: BenchHost, memoryBytes: number, signal: AbortSignal): Promise<Machine> {
  const owner = benchOwner('bench-reset');
  const golden = await driver.prepare(await host.image(memoryBytes), { owner, signal });
  return driver.fork(golden, { owner, signal });
}

/** Dirties a machine and times its driver's reset, which ends with the guest's proof that it is a new generation. */
async function measure(
  {
    clock,
    signal,
    recorder,
  }: Omit<SuiteContext, 'recorder'> & { readonly recorder: SuiteContext['recorder'] | undefined },
  host: BenchHost,
  { name, way, machine, watch }: Subject,
): Promise<void> {
  const dirt = dirtFor(host);
  await dirt.write(machine.guest, signal);
  const isPathKnown = pathOf(way) !== undefined;
  const before = isPathKnown ? await host.processOf?.(machine) : undefined;
  const startedAt = clock.now();
  await machine.reset({ signal });
  const readyAt = clock.now();
  const runningAt = watch?.lastRunningAt(machine.id);
  const after = isPathKnown ? await host.processOf?.(machine) : undefined;
  await dirt.requireClean(machine.guest, signal);
  requirePath(machine, way, before, after);
  recorder?.add(`${name}, to ready`, readyAt - startedAt);
  if (runningAt === undefined || runningAt < startedAt) {
    recorder?.stages(`reset ${name}`, { reset: readyAt - startedAt });
    return;
  }
  recorder?.add(`${name}, to running`, runningAt - startedAt);
  recorder?.stages(`reset ${name}`, { reset: runningAt - startedAt, agent: readyAt - runningAt });
}

/** A driver falls back from one way to the other without a word; a figure must not. */
function requirePath({ id }: Machine, way: string, before: number | undefined, after: number | undefined): void {
  if (before === undefined || (after === before ? 'same' : 'another') === pathOf(way)) return;
  throw new WarmvmError('WARMVM_RESET_FAILED', `${id} was not reset by ${way}: QEMU ${before}, then ${after}`);
}

function summarize({ recorder }: SuiteContext, host: BenchHost): void {
  const { ways, memorySizes } = host;
  const isTold = host.watchRunning !== undefined || host.driverTellsRunning === true;
  const ends = isTold ? ['running', 'ready'] : ['ready'];
  for (const end of ends) {
    for (const bytes of memorySizes) {
      const names = ways.map((way) => `${way}, ${size(bytes)}, to ${end}`);
      recorder.group(`reset to ${end}, ${size(bytes)}`, names);
      for (const [index, way] of ways.entries()) {
        if (index > 0) recorder.ratio(`${ways[0]} to ${way}, ${size(bytes)}, to ${end}`, names[0]!, names[index]!);
      }
    }
    const [small, ...larger] = memorySizes;
    for (const bytes of larger) {
      for (const way of ways) {
        const [above, below] = [bytes, small!].map((each) => `${way}, ${size(each)}, to ${end}`);
        recorder.ratio(`${way}, ${size(bytes)} to ${size(small!)}, to ${end}`, above!, below!);
      }
    }
  }
  recorder.fact('dirt', dirtFor(host).what);
  if (isTold)
    recorder.fact('running', host.watchRunning === undefined ? 'told by the driver' : 'told by another connection');
  if (!isTold) recorder.caveat('Nobody but the driver tells when a machine runs: reset includes agent.');
}

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : `${bytes / 2 ** 20} MiB`;
}
