/**
 * The bench of warmvm: measures the pool and drivers, every sample, and holds the figures against targets and earlier runs.
 *
 * @packageDocumentation
 */
import { systemClock } from '@warmvm/core';
import type { BenchRequest } from './request.ts';

export type { BenchRequest, CompareDriverRequest, CompareRefRequest, Outputs, RunRequest } from './request.ts';
export { percentile } from './statistics/percentile.ts';

/** Where the bench runs, and who looks on. */
export interface RunBenchOptions {
  /** Ends the run; everything that it made is destroyed first. */
  readonly signal: AbortSignal;
  /** Where progress and the summary go: a picture that moves on a terminal, lines elsewhere. @default process.stdout */
  readonly stream?: NodeJS.WriteStream;
  /** Folder that packages and paths of drivers are meant from. @default process.cwd() */
  readonly folder?: string;
}

/**
 * Does what was asked for. Resolves with the exit code: 1 where the gate does not let it pass, and that was asked for; else 0.
 * @throws RangeError for a suite that is none or that no driver can run, or where another commit is asked for outside a checkout;
 * WARMVM_HOST_UNREACHABLE where a driver's host cannot be used; the signal's reason
 */
export async function runBench(
  request: BenchRequest,
  { signal, stream = process.stdout, folder = process.cwd() }: RunBenchOptions,
): Promise<number> {
  const [{ bench }, { viewFor }, { styleFor }] = await Promise.all([
    import('./bench.ts'),
    import('./report/terminal/view.ts'),
    import('./report/terminal/style.ts'),
  ]);
  const write = (text: string): void => void stream.write(text);
  const view = viewFor(stream, systemClock);
  return bench(request, { signal, write, view, style: styleFor(stream), folder });
}
