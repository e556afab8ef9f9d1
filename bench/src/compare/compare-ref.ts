import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { runCheckout } from './run-checkout.ts';
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
  const onLine = (text: string): void => onProgress({ type: 'step', text });
  onLine(`checking out and installing ${request.ref}`);
  const base = await checkOut(REPOSITORY, request.ref, signal);
  const results = await mkdtemp(join(tmpdir(), 'warmvm-bench-results-'));
  try {
    const runs: Record<'base' | 'current', BenchResult[]> = { base: [], current: [] };
    const run = async (side: keyof typeof runs, block: number): Promise<void> => {
      signal.throwIfAborted();
      const json = join(results, `${side}-${block}.json`);
      const checkout = side === 'base' ? base.folder : REPOSITORY;
      const names = request.named ? request.suites.map(({ name }) => name) : [];
      await runCheckout({ ...request, checkout, names, json, folder: scene.folder, signal, onLine });
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
