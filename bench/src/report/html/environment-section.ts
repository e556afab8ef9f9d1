import type { VNode } from 'preact';
import type { BenchResult } from '../../result/bench-result.ts';
import type { BenchEnvironment } from '../../result/environment.ts';
import { originText } from '../origin-text.ts';
import { moment, quantity } from '../quantity.ts';
import { h } from './element.ts';
import { factList, section } from './parts.ts';

/** What the figures must be read together with; suites that share an environment are named together. */
export function environmentSection(result: BenchResult): VNode {
  const { suites, startedAt, durationMs } = result;
  const groups = [...Map.groupBy(suites, ({ environment }) => JSON.stringify(lasting(environment))).values()];
  return section(
    'environment',
    'Environment',
    h(
      'p',
      { class: 'lead' },
      `Started ${moment(startedAt)}, took ${quantity(durationMs, 'ms')}${originText(result)}. Times depend on the computer; ratios inside one run hold on any.`,
    ),
    ...groups.map((members) =>
      h(
        'div',
        { class: 'environment' },
        h('h3', null, members.map(({ suite, driver }) => `${suite} (${driver})`).join(', ')),
        factList(lasting(members[0]!.environment)),
      ),
    ),
    h('h3', null, 'How quiet the computer was'),
    factList(
      suites.map(({ suite, driver, environment: { loadAverage, garbage } }) => [
        `${suite} (${driver})`,
        `load average ${loadAverage.atStart[0]} at the start, ${loadAverage.atEnd[0]} at the end; ${garbage.count} garbage collections, ${quantity(garbage.durationMs, 'ms')}`,
      ]),
    ),
  );
}

function lasting(environment: BenchEnvironment): readonly (readonly [string, string])[] {
  const { acceleration, accelerationReason } = environment;
  return [
    ['hypervisor', environment.hypervisor],
    ['acceleration', `${acceleration}: ${accelerationReason}`],
    ['CPU', `${environment.cpuCount} × ${environment.cpuModel}`],
    ['memory', quantity(environment.memoryBytes, 'bytes')],
    ['system', `${environment.platform}, kernel ${environment.kernel}`],
    ['Node', environment.node],
    ['subreaper', environment.subreaper],
    ['storage', environment.storage],
  ];
}
