// Keeps the figures of README.md in step with the committed raw run: `node tools/readme-figures.ts [--check]`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { endAsProgram, readmeBlock } from './lib/readme-block.ts';
import { root } from './lib/repository.ts';

/** A recorded run of `npm start`: raw samples, so that every printed figure can be computed again. */
export interface StartRecord {
  readonly schema: 1;
  readonly driver: string;
  readonly acceleration: string;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly stages: Readonly<
    Record<string, { readonly samplesMs: readonly number[]; readonly p50: number; readonly p99: number }>
  >;
  /** Words for the stages: what each is, and what the project states for it. */
  readonly figures: readonly { readonly id: string; readonly what: string; readonly stated: string }[];
  /** Figures of this one run against each other. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly proofs: unknown;
}

const START = '<!-- figures:start -->';

/** The samples between which a percentile lies, whichever of the usual definitions it was computed by. */
export function percentileBounds(
  samples: readonly number[],
  rank: number,
): { readonly low: number; readonly high: number } {
  const sorted = samples.toSorted((left, right) => left - right);
  const last = sorted.length - 1;
  return {
    low: sorted[Math.floor(last * rank)] ?? Number.NaN,
    high: sorted[Math.min(last, Math.ceil(sorted.length * rank))] ?? Number.NaN,
  };
}

/** Milliseconds for people: three significant digits, the unit that fits. */
export function formatMs(valueMs: number): string {
  if (valueMs >= 1000) return `${Number((valueMs / 1000).toPrecision(3))} s`;
  if (valueMs >= 1) return `${Number(valueMs.toPrecision(3))} ms`;
  return `${Number((valueMs * 1000).toPrecision(3))} µs`;
}

/** What keeps a record from being believed. */
export function recordProblems(file: string, record: StartRecord): readonly string[] {
  if (record.schema !== 1) return [`${file}: schema is ${JSON.stringify(record.schema)}, expected 1`];
  const stages = Object.entries(record.stages ?? {});
  if (stages.length === 0) return [`${file}: has no stages`];
  return stages.flatMap(([id, { samplesMs, p50, p99 }]) => {
    if (samplesMs.length === 0) return [`${file}: ${id} has no samples`];
    const off = (stated: number, rank: number): boolean => {
      const { low, high } = percentileBounds(samplesMs, rank);
      return !(stated >= low - 0.001 && stated <= high + 0.001);
    };
    return [
      ...(off(p50, 0.5) ? [`${file}: p50 of ${id} is not that of its samples`] : []),
      ...(off(p99, 0.99) ? [`${file}: p99 of ${id} is not that of its samples`] : []),
    ];
  });
}

/** The Markdown between the markers. */
export function figuresTable(records: readonly (readonly [string, StartRecord])[]): string {
  return records.map(([file, record]) => recordTable(file, record)).join('\n\n');
}

function recordTable(
  file: string,
  { driver, acceleration, environment, figures, stages, ratios }: StartRecord,
): string {
  const facts = ['hypervisor', 'cpuModel', 'cpuCount', 'kernel', 'node', 'subreaper', 'startedAt']
    .filter((name) => environment[name] !== undefined)
    .map((name) => `${name} ${environment[name]}`);
  const rows = figures.flatMap(({ id, what, stated }) => {
    const stage = stages[id];
    if (stage === undefined) return [];
    const { p50, p99, samplesMs } = stage;
    return [`| ${id} | ${what} | ${stated} | ${formatMs(p50)} | ${formatMs(p99)} | ${samplesMs.length} |`];
  });
  return [
    `\`npm start\` with driver \`${driver}\`, acceleration ${acceleration} ([raw run](bench/baselines/${file})): ${facts.join(', ')}.`,
    '',
    '| figure | what | stated | p50 | p99 | samples |',
    '| --- | --- | --- | ---: | ---: | ---: |',
    ...rows,
    '',
    'Ratios of that run, which hold whatever the speed of the computer:',
    '',
    '| ratio | value |',
    '| --- | ---: |',
    ...Object.entries(ratios).map(([what, ratio]) => `| ${what} | ${ratio} |`),
  ].join('\n');
}

function loadRecords(): readonly (readonly [string, StartRecord])[] {
  const folder = join(root, 'bench/baselines');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^start-.*\.json$/.test(file))
    .sort()
    .map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as StartRecord] as const);
}

/** Compares README.md with the recorded runs, or rewrites it. */
export function readmeFigures(mode: 'check' | 'write'): GateOutcome {
  const path = join(root, 'README.md');
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const records = loadRecords();
  if (!readme.includes(START)) {
    return records.length > 0
      ? { kind: 'failed', details: `README.md has no ${START} for the runs in bench/baselines` }
      : { kind: 'notRun', reason: 'README.md has no figures yet', mandatory: false };
  }
  if (records.length === 0)
    return { kind: 'failed', details: 'README.md has figures, bench/baselines/start-*.json does not exist' };
  const problems = records.flatMap(([file, record]) => recordProblems(file, record));
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  const note = `${records.length} recorded runs`;
  const content = figuresTable(records);
  return readmeBlock({ name: 'figures', command: 'node tools/readme-figures.ts', note, content }, mode);
}

if (import.meta.main) endAsProgram(readmeFigures(process.argv.includes('--check') ? 'check' : 'write'));
