import { z } from 'zod';
import { percentile } from '../statistics/percentile.ts';
import type { BenchResult } from './bench-result.ts';
import { SCHEMA } from './bench-result.ts';
import { CALLS } from './comparison.ts';
import { type Figure, UNITS } from './figure.ts';
import { STAGES } from './ladder.ts';
import type { SuiteResult } from './suite-result.ts';
import { OUTCOMES, STATISTICS } from './verdict.ts';

const name = z.string().min(1).max(500);
const words = z.string().max(10_000);
const samples = z.array(z.number()).min(1).max(10_000_000);
const better = z.enum(['lower', 'higher']);
const count = z.int().min(0);
const moment = z.iso.datetime();

const figure = z
  .strictObject({
    unit: z.enum(UNITS),
    better,
    group: name.nullable(),
    samples,
    blocks: z.array(z.int().positive()).min(1),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
    max: z.number(),
  })
  .superRefine((value, context) => {
    for (const message of figureProblems(value)) context.addIssue({ code: 'custom', message });
  });

const ladder = z
  .partialRecord(z.enum(STAGES), samples)
  .refine((stages) => new Set(Object.values(stages).map((values) => values?.length)).size <= 1, {
    error: 'stages of one ladder must have equally many samples',
  });

const ratio = z.strictObject({
  value: z.number(),
  figure: name,
  reference: name,
  method: z.enum(['medians', 'pairs']),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

const loads = z.array(z.number()).length(3);
const environment = z.strictObject({
  node: words,
  platform: words,
  kernel: words,
  cpuModel: words,
  cpuCount: count,
  memoryBytes: count,
  acceleration: name,
  accelerationReason: words,
  hypervisor: words,
  qemu: words.nullable(),
  libvirt: words.nullable(),
  subreaper: words,
  storage: words,
  loadAverage: z.strictObject({ atStart: loads, atEnd: loads }),
  garbage: z.strictObject({ count, durationMs: z.number() }),
  startedAt: moment,
});

const suite = z
  .strictObject({
    suite: name,
    what: words,
    driver: name,
    environment,
    durationMs: z.number(),
    figures: z.record(name, figure),
    ladders: z.record(name, ladder),
    ratios: z.record(name, ratio),
    facts: z.record(name, z.union([words, z.number()])),
    caveats: z.array(words),
  })
  .superRefine((value, context) => {
    for (const message of ratioProblems(value)) context.addIssue({ code: 'custom', message });
  });

const bound = z.number().positive().nullable();
const verdict = z.strictObject({
  id: name,
  suite: name,
  driver: name,
  figure: name,
  what: words,
  statistic: z.enum(STATISTICS),
  unit: z.enum([...UNITS, 'ratio']),
  better,
  stated: words.nullable(),
  statedBound: bound,
  floor: z.number().min(0).nullable(),
  goal: z.number().min(0).nullable(),
  measured: z.number().nullable(),
  samples: count.nullable(),
  timesFloor: z.number().nullable(),
  outcome: z.enum(OUTCOMES),
});

const origin = z.strictObject({ label: words, commit: name.nullable(), startedAt: moment });
const side = z.strictObject({ samples: count, p50: z.number() });
const comparison = z.strictObject({
  base: origin,
  current: origin,
  threshold: z.number(),
  confidence: z.number(),
  interleaved: z.boolean(),
  differences: z.array(words),
  figures: z.array(
    z.strictObject({
      suite: name,
      driver: name,
      figure: name,
      unit: z.enum(UNITS),
      better,
      base: side,
      current: side,
      ratio: z.number(),
      low: z.number(),
      high: z.number(),
      p: z.number(),
      adjustedP: z.number(),
      call: z.enum(CALLS),
      sentence: words,
    }),
  ),
  onlyInBase: z.array(words),
  onlyInCurrent: z.array(words),
  call: z.enum(CALLS),
  sentence: words,
});

/** The shape of a result file. Written beside the types by hand: the assignment below fails where the two differ. */
export const resultShape: z.ZodType<BenchResult> = z.strictObject({
  schema: z.literal(SCHEMA),
  version: name.nullable().default(null),
  commit: name.nullable(),
  startedAt: moment,
  durationMs: z.number(),
  suites: z.array(suite),
  verdicts: z.array(verdict),
  comparison: comparison.nullable(),
  gate: z.strictObject({ passed: z.boolean(), reasons: z.array(words) }),
});

/** Percentiles that are not those of the samples were not measured. */
function figureProblems({ samples: taken, blocks, ...figures }: Figure): readonly string[] {
  if (taken.length === 0) return [];
  const total = blocks.reduce((sum, block) => sum + block, 0);
  const shares = { p50: 0.5, p95: 0.95, p99: 0.99, max: 1 };
  return [
    ...(total === taken.length ? [] : [`blocks add up to ${total}, there are ${taken.length} samples`]),
    ...Object.entries(shares).flatMap(([key, share]) => {
      const right = percentile(taken, share);
      const stated = figures[key as keyof typeof shares];
      return stated === right ? [] : [`${key} is ${stated}, that of the samples is ${right}`];
    }),
  ];
}

function ratioProblems({ figures, ratios }: Pick<SuiteResult, 'figures' | 'ratios'>): readonly string[] {
  return Object.entries(ratios).flatMap(([key, { figure: above, reference }]) =>
    [above, reference].flatMap((used) =>
      used in figures ? [] : [`ratio '${key}' is of the figure '${used}', which is not there`],
    ),
  );
}
