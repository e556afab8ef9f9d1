import Table from 'cli-table3';
import { duration } from 'warmvm/measure';
import type { Unit } from './measure/recorder.ts';
import type { SuiteResult } from './suite.ts';
import { type Comparison, compare, type Target } from './targets.ts';

const STYLE = { head: [], border: [], compact: true };

/** Measured against stated, floor and goal. */
export function targetTable(results: readonly SuiteResult[], targets: readonly Target[]): string {
  const table = new Table({
    head: ['figure', 'what', 'stated', 'floor', 'goal', 'measured', 'samples', ''],
    style: STYLE,
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const result of results) {
    for (const comparison of compare(targets, result.suite, result)) table.push(row(comparison));
  }
  return table.toString();
}

function row({ target, measured, samples, verdict }: Comparison): string[] {
  const bound = (value: number | null): string =>
    value === null ? '-' : `${target.better === 'lower' ? '<=' : '>='} ${show(value, target.unit)}`;
  const statistic = target.statistic === 'ratio' ? '' : `${target.statistic} `;
  return [
    target.id,
    target.what,
    target.stated ?? '-',
    bound(target.floor),
    bound(target.goal),
    `${statistic}${show(measured, target.unit)}`,
    samples === null ? '' : String(samples),
    verdict,
  ];
}

/** Every figure of one suite: the ladder that its verdicts are computed from. */
export function figureTable({ figures, ratios, facts }: SuiteResult): string {
  const table = new Table({
    head: ['figure', 'samples', 'p50', 'p95', 'p99', 'max'],
    style: STYLE,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const [name, { unit, samples, p50, p95, p99, max }] of Object.entries(figures)) {
    table.push([name, samples.length, ...[p50, p95, p99, max].map((value) => show(value, unit))]);
  }
  const lines = [...Object.entries(ratios).map(([name, ratio]) => [name, ratio]), ...Object.entries(facts)];
  return [table.toString(), ...lines.map(([name, value]) => `  ${name}: ${value}`)].join('\n');
}

/** What the figures must be read together with. */
export function environmentText({
  environment,
  acceleration,
  loadAverageAtEnd,
  garbageCollections,
}: SuiteResult): string {
  const { hypervisor, accelerationReason, cpuModel, cpuCount, kernel, node, subreaper, storage } = environment;
  return [
    `  ${hypervisor}; acceleration ${acceleration}: ${accelerationReason}`,
    `  ${cpuModel}, ${cpuCount} CPUs; Linux ${kernel}; Node ${node}; subreaper ${subreaper}; storage ${storage}`,
    `  load average ${environment.loadAverage[0]} at the start, ${loadAverageAtEnd[0]} at the end; ` +
      `${garbageCollections.count} garbage collections, ${duration(garbageCollections.durationMs)}`,
  ].join('\n');
}

function show(value: number, unit: Unit | 'ratio'): string {
  if (unit === 'ms') return duration(value);
  if (unit === 'bytes') return `${Math.round(value)} bytes`;
  return unit === 'ratio' ? String(Number(value.toPrecision(3))) : `${Math.round(value)}/s`;
}
