import type { BenchResult } from '../result/bench-result.ts';
import type { Outcome, Verdict } from '../result/verdict.ts';
import { moment } from './quantity.ts';

/** A result in one sentence, and what stands below it. */
export interface Headline {
  readonly tone: 'good' | 'bad' | 'plain';
  readonly sentence: string;
  /** Further sentences, the gate's reasons not among them. */
  readonly details: readonly string[];
  /** Where and when: drivers, hypervisor, acceleration, CPU, date. */
  readonly scene: readonly string[];
}

const ORDER: readonly Outcome[] = [
  'floor-missed',
  'stated-missed',
  'not-measured',
  'goal-met',
  'floor-met',
  'as-stated',
  'recorded',
];

/** The first thing that every report says. */
export function headline(result: BenchResult): Headline {
  const count = (...outcomes: Outcome[]): number =>
    result.verdicts.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const missed = count('floor-missed');
  const floors = result.verdicts.filter(({ floor, measured }) => floor !== null && measured !== null).length;
  const worse = result.comparison?.figures.filter(({ call }) => call === 'worse').length ?? 0;
  const sentence =
    missed > 0
      ? `${missed} of ${floors} floors ${missed === 1 ? 'is' : 'are'} missed`
      : worse > 0
        ? `${worse} ${worse === 1 ? 'figure is' : 'figures are'} worse than the base`
        : floors > 0
          ? `${['', 'The one floor is', 'Both floors are'][floors] ?? `All ${floors} floors are`} met`
          : 'Measured, with nothing to hold it against';
  const counted: readonly (readonly [number, (count: number) => string])[] = [
    [count('goal-met'), (n) => `${n} ${n === 1 ? 'reaches its goal' : 'reach their goals'}`],
    [count('stated-missed'), (n) => `${n} stated ${n === 1 ? 'value is' : 'values are'} missed`],
    [count('not-measured'), (n) => `${n} ${n === 1 ? 'target was' : 'targets were'} not measured`],
  ];
  return {
    tone: missed + worse > 0 ? 'bad' : floors > 0 ? 'good' : 'plain',
    sentence,
    details: [
      ...counted.filter(([number]) => number > 0).map(([number, words]) => words(number)),
      ...(result.comparison === null ? [] : [result.comparison.sentence.replace(/\.$/, '')]),
    ],
    scene: sceneOf(result),
  };
}

/** What needs a look first comes first; otherwise the order of the targets stays. */
export function urgentFirst(verdicts: readonly Verdict[]): readonly Verdict[] {
  const rank = ({ outcome }: Verdict): number => Math.min(ORDER.indexOf(outcome), ORDER.indexOf('goal-met'));
  const last = ({ outcome }: Verdict): number => (outcome === 'recorded' ? 1 : 0);
  return verdicts.toSorted((left, right) => rank(left) - rank(right) || last(left) - last(right));
}

function sceneOf({ suites, startedAt, commit }: BenchResult): readonly string[] {
  const unique = (values: readonly string[]): string => [...new Set(values)].join(', ');
  return [
    `driver ${unique(suites.map(({ driver }) => driver))}`,
    unique(suites.map(({ environment }) => environment.hypervisor)),
    `acceleration ${unique(suites.map(({ environment }) => environment.acceleration))}`,
    unique(suites.map(({ environment }) => `${environment.cpuCount} × ${environment.cpuModel}`)),
    moment(startedAt),
    ...(commit === null
      ? []
      : [`commit ${commit.slice(0, 10)}${commit.length > 11 && commit.endsWith('+') ? '+' : ''}`]),
  ].filter((part) => part !== '');
}
