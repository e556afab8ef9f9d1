// `warmvm bench` as a user has it: from packed packages, in a project that is no checkout of warmvm.
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './lib/run.ts';

/** More than the processes that the suite is spread over, so that each has several. */
const SAMPLES = 20;

/** What is wrong with the bench of a project that the packages are installed in. */
export async function packedBenchProblems(
  project: string,
  program: string,
  node: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(project, 'bench '));
  const bench = (...args: string[]) =>
    run(node, [program, 'bench', ...args], { cwd: folder, timeoutMs: 120_000, signal });
  const files = ['--json', 'a.json', '--html', 'a.html', '--markdown', 'a.md'];
  const measured = await bench('acquire', '--driver', 'fake', '--samples', String(SAMPLES), ...files);
  if (measured.exitCode !== 0) return [`${node}: bench acquire exited with ${measured.exitCode}\n${measured.output}`];
  const text = async (file: string): Promise<string> => readFile(join(folder, file), 'utf8').catch(() => '');
  const wanted: Readonly<Record<string, boolean>> = {
    [`${SAMPLES} samples in a.json`]: samplesIn(await text('a.json')) === SAMPLES,
    'a style in a.html': /<style>[^<]*@media/.test(await text('a.html')),
    'a verdict in a.md': /floor|goal/.test(await text('a.md')),
  };
  const problems = Object.entries(wanted).flatMap(([what, isThere]) => (isThere ? [] : [`${node}: no ${what}`]));
  // What cannot work there says what to do about it.
  for (const [words, advice] of [
    [['pool-engine', '--driver', 'fake'], 'npm install generic-pool tarn'],
    [['compare', 'main', 'acquire'], '--compare base.json'],
  ] as const) {
    const { exitCode, output } = await bench(...words);
    if (exitCode === 1 && output.includes(advice)) continue;
    problems.push(`${node}: bench ${words.join(' ')} exited with ${exitCode} and without "${advice}"\n${output}`);
  }
  return problems;
}

function samplesIn(json: string): number | undefined {
  const result = JSON.parse(json) as { suites: { figures: Record<string, { samples: number[] }> }[] };
  return result.suites[0]?.figures.acquire?.samples.length;
}
