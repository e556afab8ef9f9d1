import Table from 'cli-table3';
import { duration } from 'warmvm/measure';
import type { Unit } from './result/figure.ts';
import type { SuiteResult } from './result/suite-result.ts';
import type { Outcome, Verdict } from './result/verdict.ts';

const STYLE = { head: [], border: [], compact: true };

const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  'goal-met': 'goal met',
  'floor-met': 'floor met',
  'floor-missed': 'FLOOR MISSED',
  'as-stated': 'as stated',
  'stated-missed': 'stated time missed',
  recorded: '',
  'not-measured': 'NOT MEASURED',
};

/** Measured against stated, floor and goal. */
export function targetTable(verdicts: readonly Verdict[]): string {
  const table = new Table({
    head: ['figure', 'driver', 'what', 'stated', 'floor', 'goal', 'measured', 'samples', ''],
    style: STYLE,
    colAligns: ['left', 'left', 'left', 'left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const verdict of verdicts) table.push(row(verdict));
  return table.toString();
}

function row(verdict: Verdict): string[] {
  const { unit, better, statistic, measured, samples } = verdict;
  const bound = (value: number | null): string =>
    value === null ? '-' : `${better === 'lower' ? '<=' : '>='} ${show(value, unit)}`;
  return [
    verdict.id,
    verdict.driver,
    verdict.what,
    verdict.stated ?? '-',
    bound(verdict.floor),
    bound(verdict.goal),
    measured === null ? '-' : `${statistic === 'ratio' ? '' : `${statistic} `}${show(measured, unit)}`,
    samples === null ? '' : String(samples),
    OUTCOME_WORDS[verdict.outcome],
  ];
}

/** Every figure of one suite: the ladder that its verdicts are computed from. */
export function figureTable({ figures, ratios, facts, caveats }: SuiteResult): string {
  const table = new Table({
    head: ['figure', 'samples', 'p50', 'p95', 'p99', 'max'],
    style: STYLE,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const [name, { unit, samples, p50, p95, p99, max }] of Object.entries(figures)) {
    table.push([name, samples.length, ...[p50, p95, p99, max].map((value) => show(value, unit))]);
  }
  const lines = [
    ...Object.entries(ratios).map(([name, { value, low, high }]) => [
      name,
      low === null ? value : `${value} (${low} to ${high})`,
    ]),
    ...Object.entries(facts),
    ...caveats.map((sentence) => ['caveat', sentence]),
  ];
  return [table.toString(), ...lines.map(([name, value]) => `  ${name}: ${value}`)].join('\n');
}

/** What the figures must be read together with. */
export function environmentText({ environment }: SuiteResult): string {
  const { hypervisor, acceleration, accelerationReason, cpuModel, cpuCount, kernel, node, subreaper, storage } =
    environment;
  const { loadAverage, garbage } = environment;
  return [
    `  ${hypervisor}; acceleration ${acceleration}: ${accelerationReason}`,
    `  ${cpuModel}, ${cpuCount} CPUs; Linux ${kernel}; Node ${node}; subreaper ${subreaper}; storage ${storage}`,
    `  load average ${loadAverage.atStart[0]} at the start, ${loadAverage.atEnd[0]} at the end; ` +
      `${garbage.count} garbage collections, ${duration(garbage.durationMs)}`,
  ].join('\n');
}

function show(value: number, unit: Unit | 'ratio'): string {
  if (unit === 'ms') return duration(value);
  if (unit === 'bytes') return `${Math.round(value)} bytes`;
  if (unit === 'calls/s') return `${Math.round(value)}/s`;
  return String(Number(value.toPrecision(3)));
}
