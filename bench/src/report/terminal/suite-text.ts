import type { SuiteResult } from '../../result/suite-result.ts';
import { axisOf } from '../chart/axis.ts';
import { type FigureGroup, figureGroups, nameInGroup } from '../figure-groups.ts';
import { type LadderPath, ladderPaths } from '../ladder-path.ts';
import { plain, quantity } from '../quantity.ts';
import { histogram, stackedBar } from './bars.ts';
import { clean, type TerminalStyle } from './style.ts';
import { type Column, tableText } from './table.ts';

const BAR_WIDTH = 24;
const LADDER_WIDTH = 40;
const STAGE_CHARACTERS = ['█', '▓', '▒', '░'];

/** What one suite has found: ladders, figures with their distribution, ratios, facts, and the computer. */
export function suiteText(suite: SuiteResult, style: TerminalStyle): string {
  return [
    ...ladderPaths(suite.ladders).map((path) => ladderText(path, style)),
    ...figureGroups(suite.figures).map((group) => groupText(group, style)),
    factText(suite, style),
    environmentText(suite, style),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function groupText({ title, figures }: FigureGroup, style: TerminalStyle): string {
  const { unit, better } = figures[0]!;
  const axis = axisOf(
    figures.flatMap(({ samples }) => samples),
    unit,
  );
  const scale = `${quantity(axis.low, unit)} – ${quantity(axis.high, unit)}${axis.kind === 'log' ? ', log' : ''}`;
  const name = `${title === '' ? 'figure' : clean(title)}, ${better} is better`;
  const rows = figures.map((figure) => [
    clean(nameInGroup(figure)),
    histogram(figure.samples, axis, BAR_WIDTH),
    style.strong(quantity(figure.p50, unit)),
    ...[figure.p95, figure.p99, figure.max].map((value) => quantity(value, unit)),
    figure.samples.length.toLocaleString('en-US'),
  ]);
  const columns: readonly Column[] = [
    { name },
    { name: scale, dispensable: 2 },
    { name: 'p50', align: 'right' },
    { name: 'p95', align: 'right', dispensable: 1 },
    { name: 'p99', align: 'right' },
    { name: 'max', align: 'right' },
    { name: 'samples', align: 'right', dispensable: 3 },
  ];
  return tableText(columns, rows, style);
}

function ladderText({ name, stages, sumMs, wholeMs, samples }: LadderPath, style: TerminalStyle): string {
  const medians = stages.map(({ medianMs }) => medianMs);
  const list = stages.map(({ stage, medianMs }, index) => {
    return `${STAGE_CHARACTERS[index % STAGE_CHARACTERS.length]} ${stage} ${quantity(medianMs, 'ms')}`;
  });
  return [
    `  ${style.strong(clean(name))} ${quantity(wholeMs, 'ms')} ${style.faint(`median of ${samples}`)}`,
    `  ${stackedBar(medians, sumMs, LADDER_WIDTH, STAGE_CHARACTERS)}`,
    `  ${list.join('   ')}`,
  ].join('\n');
}

function factText({ ratios, facts, caveats }: SuiteResult, style: TerminalStyle): string {
  const lines = [
    ...Object.entries(ratios).map(([name, { value, low, high }]) => {
      const between = low === null || high === null ? '' : style.faint(` (${plain(low)} – ${plain(high)})`);
      return `  ${clean(name)}: ${style.strong(plain(value))}${between}`;
    }),
    ...Object.entries(facts).map(([name, value]) => `  ${style.faint(`${clean(name)}:`)} ${clean(String(value))}`),
    ...caveats.map((caveat) => `  ${style.tone('fair', '!')} ${clean(caveat)}`),
  ];
  return lines.join('\n');
}

function environmentText({ environment }: SuiteResult, style: TerminalStyle): string {
  const { hypervisor, acceleration, accelerationReason, cpuCount, cpuModel, kernel, node } = environment;
  const { subreaper, storage, loadAverage, garbage } = environment;
  return [
    `${hypervisor}; acceleration ${acceleration}: ${accelerationReason}`,
    `${cpuCount} × ${cpuModel}; Linux ${kernel}; Node ${node}; subreaper ${subreaper}; storage ${storage}`,
    `load average ${loadAverage.atStart[0]} at the start, ${loadAverage.atEnd[0]} at the end; ` +
      `${garbage.count} garbage collections, ${quantity(garbage.durationMs, 'ms')}`,
  ]
    .map((line) => `  ${style.faint(clean(line))}`)
    .join('\n');
}
