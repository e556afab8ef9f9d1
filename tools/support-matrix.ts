// Keeps the support matrix of README.md in step with the committed reports of the conformance kit:
// `node tools/support-matrix.ts [--check] [--add report.json]`. A report that is added becomes docs/conformance/<driver>.json.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isConformant, type KitReport, kitCases } from '../packages/driver-testkit/src/index.ts';
import type { GateOutcome } from './gates/gate.ts';
import { endAsProgram, readmeBlock } from './lib/readme-block.ts';
import { root } from './lib/repository.ts';

const FOLDER = 'docs/conformance';

/** A report and the file that it is in. */
export interface NamedReport {
  readonly file: string;
  readonly report: KitReport;
}

/** What keeps a report from being shown. */
export function reportProblems({ file, report }: NamedReport): readonly string[] {
  if (report.schema !== 1) return [`${file}: schema is ${JSON.stringify(report.schema)}, expected 1`];
  if (isConformant(report)) return [];
  const failed = report.results.filter(({ result }) => result === 'failed').map(({ id }) => id);
  return [
    `${file}: not conformant, failed: ${failed.join(', ') || 'none'}; left behind: ${report.leftBehind.join(', ') || 'none'}`,
  ];
}

/** The matrix: a column for each report, a row for each ability and each group of clauses. Cases of the kit by id, in order. */
export function supportMatrix(reports: readonly NamedReport[], caseIds: readonly string[]): string {
  const row = (head: string, cell: (report: KitReport) => string): string =>
    `| ${[head, ...reports.map(({ report }) => cell(report))].join(' | ')} |`;
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  const groups = Map.groupBy(caseIds, (id) => id.split('-')[0] as string);
  return [
    row('', ({ driver }) => `\`${driver}\``),
    `| --- |${' ---: |'.repeat(reports.length)}`,
    row('proved on', ({ host }) => (host === undefined ? 'unknown' : `${host.hypervisor} (${host.acceleration})`)),
    row('reset', ({ capabilities }) => capabilities.reset),
    row('state events', ({ capabilities }) => yes(capabilities.stateEvents)),
    row('guest agent', ({ capabilities }) => yes(capabilities.guestAgent)),
    row('machines survive a lost connection', ({ capabilities }) => yes(capabilities.survivesReconnect)),
    row('cost of a fork', ({ capabilities }) => capabilities.forkCost),
    ...[...groups].map(([group, ids]) => row(`clauses ${group}`, (report) => groupCell(report, ids))),
    row('whole kit', (report) => groupCell(report, caseIds)),
    row('report', ({ driver }) => {
      const { file } = reports.find(({ report }) => report.driver === driver) as NamedReport;
      return `[${file}](${FOLDER}/${file})`;
    }),
  ].join('\n');
}

/** How many passed, and of the rest why not: the manifest rules them out, or they are newer than the report. */
function groupCell({ results }: KitReport, ids: readonly string[]): string {
  const ofGroup = new Map(results.filter(({ id }) => ids.includes(id)).map(({ id, result }) => [id, result]));
  const count = (wanted: string | undefined): number => ids.filter((id) => ofGroup.get(id) === wanted).length;
  const [inapplicable, missing] = [count('not-applicable'), count(undefined)];
  return [
    `${count('passed')} passed`,
    ...(inapplicable > 0 ? [`${inapplicable} n/a`] : []),
    ...(missing > 0 ? [`${missing} newer`] : []),
  ].join(', ');
}

function loadReports(): readonly NamedReport[] {
  const folder = join(root, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ file, report: JSON.parse(readFileSync(join(folder, file), 'utf8')) as KitReport }));
}

/** Takes a report in, without the name of the computer. */
function add(path: string): void {
  const report = JSON.parse(readFileSync(path, 'utf8')) as KitReport;
  const host = report.host === undefined ? {} : { host: { ...report.host, host: 'a computer' } };
  const file = `${report.driver.replaceAll(/[^\w.-]+/g, '-')}.json`;
  writeFileSync(join(root, FOLDER, file), `${JSON.stringify({ ...report, ...host }, null, 2)}\n`);
}

/** Compares README.md with the reports, or rewrites it. */
export function supportMatrixGate(mode: 'check' | 'write'): GateOutcome {
  const reports = loadReports();
  if (reports.length === 0) return { kind: 'failed', details: `${FOLDER} holds no report: that cannot be right` };
  const problems = reports.flatMap(reportProblems);
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  const content = supportMatrix(
    reports,
    kitCases.map(({ id }) => id),
  );
  const command = 'node --conditions=@warmvm/source tools/support-matrix.ts';
  return readmeBlock({ name: 'support', command, note: `${reports.length} reports`, content }, mode);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, add: { type: 'string', multiple: true } } });
  for (const path of values.add ?? []) add(path);
  endAsProgram(supportMatrixGate(values.check === true ? 'check' : 'write'));
}
