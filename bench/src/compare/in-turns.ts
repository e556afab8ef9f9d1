import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alternate } from '../alternate.ts';
import { decideGate } from '../gate.ts';
import type { BenchResult } from '../result/bench-result.ts';
import type { BenchScene } from '../scene.ts';
import type { Target } from '../targets.ts';
import { judge } from '../verdicts.ts';
import { type CompareOptions, compareResults } from './compare.ts';
import { mergeRuns } from './merge.ts';

/** One of two that take turns. */
export interface Side {
  readonly label: string;
  /** Runs it once, in a process of its own. @param json where that may leave its result */
  run(json: string): Promise<BenchResult>;
}

/** Two that take turns. */
export interface Turns extends Pick<CompareOptions, 'acrossHosts'> {
  readonly base: Side;
  readonly current: Side;
  /** Processes of each side. */
  readonly blocks: number;
}

/** Runs both sides in turns (A B, B A, ...), and compares. The result is that of the current side. @throws what they throw; the signal's reason */
export async function compareInTurns(
  { base, current, blocks, ...options }: Turns,
  targets: readonly Target[],
  { signal, view }: BenchScene,
): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-bench-results-'));
  try {
    const runs = new Map<Side, BenchResult[]>([
      [base, []],
      [current, []],
    ]);
    for (let block = 0; block < blocks; block += 1) {
      const turns = [...runs].map(([side, results], index) => async () => {
        signal.throwIfAborted();
        results.push(await side.run(join(folder, `${index}-${block}.json`)));
      });
      await alternate(block, turns);
      view.listen({ type: 'rounds', done: block + 1, of: blocks });
    }
    const [before, now] = [mergeRuns(runs.get(base)!), mergeRuns(runs.get(current)!)];
    const labels = { baseLabel: base.label, currentLabel: current.label };
    const comparison = compareResults(before, now, { ...labels, ...options, interleaved: true });
    const verdicts = judge(targets, now.suites);
    return { ...now, verdicts, comparison, gate: decideGate(verdicts, comparison) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
