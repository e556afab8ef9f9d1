import type { Recording } from './measure/recorder.ts';

/** One row of `targets.json`: which statistic of which figure is held against what. */
export interface Target {
  readonly id: string;
  readonly suite: string;
  /** Name of the figure, or of the ratio where `statistic` is `ratio`. */
  readonly figure: string;
  readonly what: string;
  readonly statistic: 'p50' | 'p99' | 'ratio';
  readonly unit: 'ms' | 'bytes' | 'ratio';
  readonly better: 'lower' | 'higher';
  /** What the project was stated to reach, in words; null where nothing was. */
  readonly stated: string | null;
  readonly statedBound: number | null;
  /** Must be reached; null where only a ratio of the same run is a claim. */
  readonly floor: number | null;
  readonly goal: number | null;
}

/** A target beside what was measured. */
export interface Comparison {
  readonly target: Target;
  readonly measured: number;
  readonly samples: number | null;
  readonly verdict: string;
}

const FIELDS: Readonly<Record<keyof Target, (value: unknown) => boolean>> = {
  id: isText,
  suite: isText,
  figure: isText,
  what: isText,
  statistic: (value) => ['p50', 'p99', 'ratio'].includes(value as string),
  unit: (value) => ['ms', 'bytes', 'ratio'].includes(value as string),
  better: (value) => ['lower', 'higher'].includes(value as string),
  stated: (value) => value === null || isText(value),
  statedBound: isBound,
  floor: isBound,
  goal: isBound,
};

/** @throws TypeError naming the row and the field that makes no sense */
export function parseTargets(text: string): readonly Target[] {
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) throw new TypeError('targets must be an array');
  for (const [index, row] of rows.entries()) {
    for (const [field, isGood] of Object.entries(FIELDS)) {
      const value = (row as Record<string, unknown>)[field];
      if (!isGood(value)) throw new TypeError(`targets[${index}].${field} is ${JSON.stringify(value)}`);
    }
  }
  return rows as Target[];
}

/** The targets of a suite that it has measured, each with a verdict in words. */
export function compare(targets: readonly Target[], suite: string, recording: Recording): readonly Comparison[] {
  return targets.flatMap((target) => {
    if (target.suite !== suite) return [];
    const figure = recording.figures[target.figure];
    const measured = target.statistic === 'ratio' ? recording.ratios[target.figure] : figure?.[target.statistic];
    if (measured === undefined) return [];
    return [{ target, measured, samples: figure?.samples.length ?? null, verdict: verdictOf(target, measured) }];
  });
}

function verdictOf(target: Target, measured: number): string {
  const reaches = (bound: number): boolean => (target.better === 'lower' ? measured <= bound : measured >= bound);
  if (target.floor !== null && !reaches(target.floor)) return 'FLOOR MISSED';
  if (target.goal !== null && reaches(target.goal)) return 'goal met';
  if (target.floor !== null) return 'floor met';
  if (target.statedBound === null) return '';
  return reaches(target.statedBound) ? 'as stated' : 'stated time missed';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isBound(value: unknown): boolean {
  return value === null || (typeof value === 'number' && value > 0);
}
