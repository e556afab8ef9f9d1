import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemCommandRunner } from 'warmvm/measure';
import { alternate } from '../alternate.ts';
import { decideGate } from '../gate.ts';
import type { Request } from '../program.ts';
import type { BenchResult } from '../result/bench-result.ts';
import { readResult } from '../result/result-file.ts';
import type { BenchScene } from '../scene.ts';
import type { Target } from '../targets.ts';
import { judge } from '../verdicts.ts';
import { compareResults } from './compare.ts';
import { mergeRuns } from './merge.ts';
import { checkOut } from './worktree.ts';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

type RefRequest = Extract<Request, { kind: 'compare-ref' }>;

/**
 * Runs another commit and this checkout in turns (A B, B A, ...), each run a process of its own, and compares. The result is that
 * of this checkout.
 * @throws RangeError for a ref that is none, Error with what a run printed when it failed; the signal's reason
 */
export async function compareRef(
  request: RefRequest,
  targets: readonly Target[],
  scene: BenchScene,
): Promise<BenchResult> {
  const { signal } = scene;
  const onProgress = scene.view.listen;
  onProgress({ type: 'step', text: `checking out and installing ${request.ref}` });
  const base = await checkOut(REPOSITORY, request.ref, signal);
  const results = await mkdtemp(join(tmpdir(), 'warmvm-bench-results-'));
  try {
    const runs: Record<'base' | 'current', BenchResult[]> = { base: [], current: [] };
    const run = async (side: keyof typeof runs, block: number): Promise<void> => {
      signal.throwIfAborted();
      const json = join(results, `${side}-${block}.json`);
      await runCheckout(side === 'base' ? base.folder : REPOSITORY, json, request, scene);
      runs[side].push(await readResult(json));
    };
    for (let block = 0; block < request.blocks; block += 1) {
      await alternate(block, [() => run('base', block), () => run('current', block)]);
      onProgress({ type: 'rounds', done: block + 1, of: request.blocks });
    }
    const [before, now] = [mergeRuns(runs.base), mergeRuns(runs.current)];
    const labels = { baseLabel: request.ref, currentLabel: 'this checkout' };
    const comparison = compareResults(before, now, { ...labels, interleaved: true });
    const verdicts = judge(targets, now.suites);
    return { ...now, verdicts, comparison, gate: decideGate(verdicts, comparison) };
  } finally {
    await rm(results, { recursive: true, force: true });
    await base[Symbol.asyncDispose]();
  }
}

async function runCheckout(
  checkout: string,
  json: string,
  { suites, named, drivers, samples }: RefRequest,
  { signal, view, folder }: BenchScene,
): Promise<void> {
  const { exitCode, output } = await systemCommandRunner.run(
    [
      'env',
      '-C',
      folder,
      process.execPath,
      '--conditions=@warmvm/source',
      join(checkout, 'bench/src/main.ts'),
      ...(named ? suites.map(({ name }) => name) : []),
      ...drivers.flatMap((driver) => ['--driver', driver]),
      ...(samples === undefined ? [] : ['--samples', String(samples)]),
      '--json',
      json,
    ],
    { signal, onLine: (text) => view.listen({ type: 'step', text }) },
  );
  if (exitCode !== 0) throw new Error(`the bench app of ${checkout} ended with ${exitCode}:\n${output.slice(-4000)}`);
}
