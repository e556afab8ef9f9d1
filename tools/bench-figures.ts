// Keeps the figures of bench/README.md in step with the committed raw runs: `node tools/bench-figures.ts [--check]`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUTCOME_WORDS } from '../bench/src/report/outcome-words.ts';
import { quantity } from '../bench/src/report/quantity.ts';
import type { BenchResult } from '../bench/src/result/bench-result.ts';
import { parseResult } from '../bench/src/result/result-file.ts';
import type { Verdict } from '../bench/src/result/verdict.ts';
import { parseTargets, type Target } from '../bench/src/targets.ts';
import { judge } from '../bench/src/verdicts.ts';
import type { GateOutcome } from './gates/gate.ts';
import { endAsProgram, readmeBlock } from './lib/readme-block.ts';
import { root } from './lib/repository.ts';

const FOLDER = 'bench/baselines';

/** A recorded run and the file that it is in. */
export interface NamedRun {
  readonly file: string;
  readonly run: BenchResult;
}

/** One table for each driver, its rows judged by the targets of today. */
export function benchTables(runs: readonly NamedRun[], targets: readonly Target[]): string {
  const judged = runs.flatMap(({ file, run }) => judge(targets, run.suites).map((verdict) => ({ file, verdict })));
  const drivers = Map.groupBy(judged, ({ verdict }) => verdict.driver);
  return [...drivers]
    .map(([driver, rows]) => {
      const files = new Set(rows.map(({ file }) => file));
      const records = runs.filter(({ file }) => files.has(file)).map((named) => recordLine(named, driver));
      return [
        `### \`${driver}\``,
        '',
        ...records,
        '',
        '| figure | what | stated | floor | goal | measured | samples | |',
        '| --- | --- | --- | ---: | ---: | ---: | ---: | --- |',
        ...rows.map(({ verdict }) => tableRow(verdict)),
      ].join('\n');
    })
    .join('\n\n');
}

function recordLine({ file, run }: NamedRun, driver: string): string {
  const suites = run.suites.filter((suite) => suite.driver === driver);
  const { environment } = suites[0]!;
  const { atStart, atEnd } = environment.loadAverage;
  const names = suites.map(({ suite }) => `\`${suite}\``).join(', ');
  const where = `${environment.hypervisor}, ${environment.acceleration}; ${environment.cpuCount} CPUs (${environment.cpuModel})`;
  return (
    `- ${names}: [${file}](baselines/${file}), ${environment.startedAt.slice(0, 10)}, ${where}, Linux ${environment.kernel}, ` +
    `Node ${environment.node}; load average ${atStart[0]} at first, ${suites.at(-1)!.environment.loadAverage.atEnd[0] ?? atEnd[0]} in the end`
  );
}

function tableRow(verdict: Verdict): string {
  const { id, what, stated, better, unit, statistic, measured, samples, outcome } = verdict;
  const bound = (value: number | null): string =>
    value === null ? '' : `${better === 'lower' ? '≤' : '≥'} ${quantity(value, unit)}`;
  const value = measured === null ? '' : `${statistic === 'ratio' ? '' : `${statistic} `}${quantity(measured, unit)}`;
  const { word, tone } = OUTCOME_WORDS[outcome];
  const cells = [
    `\`${id}\``,
    what,
    stated ?? '',
    bound(verdict.floor),
    bound(verdict.goal),
    value,
    samples === null ? '' : String(samples),
    tone === 'bad' ? `**${word}**` : word,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function loadRuns(): readonly NamedRun[] {
  return readdirSync(join(root, FOLDER))
    .filter((file) => file.endsWith('.json') && !file.startsWith('start-'))
    .sort()
    .map((file) => ({ file, run: parseResult(readFileSync(join(root, FOLDER, file), 'utf8'), `${FOLDER}/${file}`) }));
}

/** Compares bench/README.md with the recorded runs, or rewrites it. */
export function benchFigures(mode: 'check' | 'write'): GateOutcome {
  try {
    const runs = loadRuns();
    if (runs.length === 0) return { kind: 'failed', details: `${FOLDER} holds no run: that cannot be right` };
    const targets = parseTargets(readFileSync(join(root, 'bench/targets.json'), 'utf8'), 'bench/targets.json');
    const content = benchTables(runs, targets);
    const command = 'node --conditions=@warmvm/source tools/bench-figures.ts';
    return readmeBlock(
      { file: 'bench/README.md', name: 'bench', command, note: `${runs.length} recorded runs`, content },
      mode,
    );
  } catch (error) {
    if (error instanceof TypeError) return { kind: 'failed', details: error.message };
    throw error;
  }
}

if (import.meta.main) endAsProgram(benchFigures(process.argv.includes('--check') ? 'check' : 'write'));
