// Keeps what is written of events and metrics in step with the sources: `node --conditions=@warmvm/source tools/telemetry-reference.ts [--check]`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prometheusName } from '../packages/prometheus/src/prometheus-name.ts';
import type { GateOutcome } from './gates/gate.ts';
import { endAsProgram, readmeBlock } from './lib/readme-block.ts';
import { root } from './lib/repository.ts';

type Metric = import('../packages/core/src/pool/pool-metrics.ts').PoolMetric;

const SOURCE = 'packages/core/src/pool/pool-event.ts';
const COMMAND = 'node --conditions=@warmvm/source tools/telemetry-reference.ts';

/** The table of all metrics. */
export function metricTable(metrics: Readonly<Record<string, Metric>>): string {
  const rows = Object.entries(metrics).map(([name, metric]) => {
    const labels = Object.entries(metric.attributes).map(([key, values]) =>
      values.length === 0 ? `\`${key}\`` : `\`${key}\` (${values.join(', ')})`,
    );
    const bounds = metric.boundaries === undefined ? '' : `; buckets ${metric.boundaries.join(', ')}`;
    const names = `\`${name}\`<br>\`${prometheusName(name, metric)}\``;
    return `| ${names} | ${metric.kind} | ${metric.unit ?? ''} | ${labels.join(', ')} | ${metric.description}${bounds} |`;
  });
  return [
    '| name, and for Prometheus | kind | unit | labels | what |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Fields of each type of event, as the union in the source declares them; a `?` after one that may be absent. */
export function eventFields(source: string): ReadonlyMap<string, readonly string[]> {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const body = /export type PoolEventBody =([\s\S]*?);\n\n/.exec(`${text}\n\n`)?.[1] ?? '';
  const fields = new Map<string, readonly string[]>();
  // Members of the union begin at the margin of the type; a brace within one is the type of a field.
  for (const member of body.split(/\n {2}\| /)) {
    const flat = member.replace(/^\s*\|?\s*\{/, '').replaceAll(/\{[^{}]*\}/g, '');
    const type = /readonly type:\s*([^;}]+)/.exec(flat)?.[1] ?? '';
    const names = [...flat.matchAll(/readonly (\w+)(\??):/g)].map((match) => `${match[1]}${match[2]}`);
    for (const each of type.matchAll(/'([a-z-]+)'/g))
      fields.set(
        each[1] as string,
        names.filter((name) => name !== 'type'),
      );
  }
  return fields;
}

/** What is missing, unknown or different in the table of events. */
export function eventTableProblems(text: string, fields: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const ticked = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
  const documented = new Map<string, readonly string[]>();
  const problems: string[] = [];
  for (const line of text.split('\n').filter((each) => each.startsWith('| `'))) {
    const [, types = '', names = ''] = line.split('|');
    for (const type of ticked(types)) {
      if (documented.has(type)) problems.push(`${type} is documented twice`);
      documented.set(type, ticked(names));
    }
  }
  for (const [type, names] of fields) {
    const written = documented.get(type);
    if (written === undefined) problems.push(`${type} is an event but not documented`);
    else if (written.join() !== names.join())
      problems.push(`${type} has the fields ${names.join(', ')}, and not ${written.join(', ')}`);
  }
  for (const type of documented.keys()) if (!fields.has(type)) problems.push(`${type} is documented but no event`);
  return problems;
}

/** Checks both documents of this checkout; the table of metrics is rewritten if asked for. */
export async function telemetryReference(mode: 'check' | 'write'): Promise<GateOutcome> {
  const fields = eventFields(readFileSync(join(root, SOURCE), 'utf8'));
  const problems = eventTableProblems(readFileSync(join(root, 'docs/events.md'), 'utf8'), fields);
  if (problems.length > 0)
    return { kind: 'failed', details: problems.map((text) => `docs/events.md: ${text}`).join('\n') };
  // Loaded late: it needs the sources of the workspace, which the other gates do without.
  const { POOL_METRICS } = await import('../packages/core/src/pool/pool-metrics.ts');
  const note = `${fields.size} events, ${Object.keys(POOL_METRICS).length} metrics`;
  const content = metricTable(POOL_METRICS);
  return readmeBlock({ file: 'docs/metrics.md', name: 'metrics', command: COMMAND, note, content }, mode);
}

if (import.meta.main) endAsProgram(await telemetryReference(process.argv.includes('--check') ? 'check' : 'write'));
