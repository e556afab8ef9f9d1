import { readFile } from 'node:fs/promises';
import { compareResults } from './compare/compare.ts';
import { compareDriver } from './compare/compare-driver.ts';
import { compareRef } from './compare/compare-ref.ts';
import { decideGate } from './gate.ts';
import { HOSTS } from './host/open-host.ts';
import { TARGETS_FILE } from './package-files.ts';
import { requireWritableOutputs, writeOutputs } from './report/outputs.ts';
import { closingText } from './report/terminal/summary.ts';
import type { BenchRequest, RunRequest } from './request.ts';
import type { BenchResult } from './result/bench-result.ts';
import { readResult } from './result/result-file.ts';
import { runSuites } from './run.ts';
import type { BenchScene } from './scene.ts';
import { SUITES, suitesNamed } from './suites.ts';
import { parseTargets, type Target } from './targets.ts';

/** Does what was asked for. Resolves with the exit code: 1 where the gate does not let it pass, and that was asked for. */
export async function bench(request: BenchRequest, scene: BenchScene): Promise<number> {
  if (request.kind === 'list') {
    scene.write(listing());
    return 0;
  }
  await requireWritableOutputs(request);
  const targets = await readTargets(request.targets);
  const result = await measure(request, targets, scene);
  scene.write(`${closingText(result, scene.style)}\n`);
  for (const file of await writeOutputs(result, request)) scene.write(`written to ${file}\n`);
  return request.gate && !result.gate.passed ? 1 : 0;
}

async function measure(
  request: Exclude<BenchRequest, { kind: 'list' }>,
  targets: readonly Target[],
  scene: BenchScene,
): Promise<BenchResult> {
  try {
    const result = await resultOf(request, targets, scene);
    scene.view.listen({ type: 'run-ended', result });
    return result;
  } finally {
    await scene.view.close();
  }
}

function resultOf(
  request: Exclude<BenchRequest, { kind: 'list' }>,
  targets: readonly Target[],
  scene: BenchScene,
): Promise<BenchResult> {
  if (request.kind === 'compare-ref') return compareRef(request, targets, scene);
  if (request.kind === 'compare-driver') return compareDriver(request, targets, scene);
  return run(request, targets, scene);
}

async function run(
  request: RunRequest,
  targets: readonly Target[],
  { signal, view, folder }: BenchScene,
): Promise<BenchResult> {
  const { compare, acrossHosts, inProcess, suites, drivers, samples } = request;
  // Read before anything is measured: a file that cannot be compared with would cost the whole run.
  const base = compare === undefined ? undefined : await readResult(compare);
  const result = await runSuites({
    suites: suitesNamed(suites),
    named: suites.length > 0,
    drivers,
    samples,
    inProcess,
    targets,
    signal,
    onProgress: view.listen,
    folder,
  });
  if (base === undefined) return result;
  const labels = { baseLabel: compare!, currentLabel: 'this run' };
  const comparison = compareResults(base, result, { ...labels, acrossHosts });
  return { ...result, comparison, gate: decideGate(result.verdicts, comparison) };
}

async function readTargets(file: string | undefined): Promise<readonly Target[]> {
  return parseTargets(await readFile(file ?? TARGETS_FILE, 'utf8'), file ?? 'targets.json of the bench');
}

function listing(): string {
  const suites = SUITES.map((suite) => `  ${suite.name.padEnd(12)} ${suite.what}\n`);
  return `drivers: ${Object.keys(HOSTS).join(', ')}, or a package or path\nsuites:\n${suites.join('')}`;
}
