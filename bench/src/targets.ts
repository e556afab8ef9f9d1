import { z } from 'zod';
import { type Better, UNITS, type Unit } from './result/figure.ts';
import { parseJson, problemsText } from './result/result-file.ts';
import { STATISTICS, type Statistic } from './result/verdict.ts';

/** One row of `targets.json`: which statistic of which figure is held against what. */
export interface Target {
  /** Together with `drivers` it names one row: an id may be there again for other drivers. */
  readonly id: string;
  readonly suite: string;
  /** Drivers it is for; absent for all. */
  readonly drivers?: readonly string[] | undefined;
  /** Name of the figure, or of the ratio where `statistic` is `ratio`. */
  readonly figure: string;
  readonly what: string;
  readonly statistic: Statistic;
  readonly unit: Unit | 'ratio';
  readonly better: Better;
  /** What the project was stated to reach, in words; null where nothing was. */
  readonly stated: string | null;
  readonly statedBound: number | null;
  /** Must be reached; null where only a ratio of the same run is a claim. */
  readonly floor: number | null;
  readonly goal: number | null;
}

const text = z.string().min(1);
const bound = z.number().min(0).nullable();
const shape: z.ZodType<readonly Target[]> = z
  .array(
    z
      .strictObject({
        id: text,
        suite: text,
        drivers: z.array(text).min(1).optional(),
        figure: text,
        what: text,
        statistic: z.enum(STATISTICS),
        unit: z.enum([...UNITS, 'ratio']),
        better: z.enum(['lower', 'higher']),
        stated: text.nullable(),
        statedBound: bound,
        floor: bound,
        goal: bound,
      })
      .superRefine((row, context) => {
        for (const message of rowProblems(row)) context.addIssue({ code: 'custom', message });
      }),
  )
  .superRefine((rows, context) => {
    for (const message of doubleRows(rows)) context.addIssue({ code: 'custom', message });
  });

/**
 * Reads a targets file.
 * @param source what messages call it
 * @throws TypeError naming the source, each row and field that makes no sense, and what was expected
 */
export function parseTargets(content: string, source: string): readonly Target[] {
  const parsed = shape.safeParse(parseJson(content, source));
  if (parsed.success) return parsed.data;
  throw new TypeError(`${source} is no list of targets:\n${problemsText(parsed.error)}`);
}

/** Whether a target is for a driver. */
export function isFor({ drivers }: Target, driver: string): boolean {
  return drivers === undefined || drivers.includes(driver);
}

function rowProblems({ statistic, unit, better, stated, statedBound, floor, goal }: Target): readonly string[] {
  const backwards = floor !== null && goal !== null && (better === 'lower' ? goal > floor : goal < floor);
  return [
    ...((statistic === 'ratio') === (unit === 'ratio')
      ? []
      : [`statistic ${statistic} with unit ${unit}: "ratio" goes with "ratio" alone`]),
    ...(backwards ? [`goal ${goal} asks less than floor ${floor}, and ${better} is better`] : []),
    ...(statedBound !== null && stated === null ? ['statedBound without stated, which says it in words'] : []),
  ];
}

function doubleRows(rows: readonly Target[]): readonly string[] {
  const seen = new Set<string>();
  return rows.flatMap(({ id, drivers = ['every driver'] }) =>
    drivers.flatMap((driver) => {
      const key = `${id} for ${driver}`;
      if (seen.has(key)) return [`${key} is there twice`];
      seen.add(key);
      return [];
    }),
  );
}
