import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../fixtures/results.ts';
import type { BenchResult } from './bench-result.ts';
import { parseResult, readResult, writeResult } from './result-file.ts';

const RESULT = benchResult([
  suiteResult((recorder) => {
    for (const sample of [1, 2, 3, 4, 5]) {
      recorder.add('ours', sample);
      recorder.add('theirs', sample * 2);
      recorder.stages('reset', { reset: sample, agent: 1 });
    }
    recorder.group('both', ['ours', 'theirs']);
    recorder.ratio('ours to theirs', 'ours', 'theirs');
    recorder.fact('path', 'in place');
    recorder.caveat('The computer was busy.');
  }),
]);

/** The result as JSON, with one value at a path replaced. */
function changed(path: readonly (string | number)[], value: unknown): string {
  const copy = structuredClone(RESULT) as unknown as Record<string | number, unknown>;
  let place = copy;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
  place[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

describe('a result file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warmvm-result-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('of a version that did not note itself is read', () => {
    const { version, ...older } = RESULT;
    expect(version).toBe('1.2.3');
    expect(parseResult(JSON.stringify(older), 'older.json')).toEqual({ ...older, version: null });
  });

  test('is read back as it was written', async () => {
    const path = join(folder, 'result.json');
    await writeResult(path, RESULT);
    expect(await readResult(path)).toEqual(RESULT);
  });

  test('is not read when it is too large to be one', async () => {
    const path = join(folder, 'large.json');
    await writeFile(path, '');
    await truncate(path, 2 ** 30);
    await expect(readResult(path)).rejects.toThrow('large.json has 1073741824 bytes');
  });
});

describe('parseResult', () => {
  const figure = ['suites', 0, 'figures', 'ours'] as const;
  const cases: readonly (readonly [string, readonly (string | number)[], unknown, string])[] = [
    ['an older format', ['schema'], 1, 'x.json has schema 1, expected 2'],
    ['no format', ['schema'], undefined, 'x.json has schema undefined'],
    ['a field of another type', ['suites', 0, 'driver'], 7, 'suites[0].driver: '],
    ['a field that nobody knows', ['suites', 0, 'speed'], 7, 'suites[0]: Unrecognized key: "speed"'],
    ['a percentile that is not that of the samples', [...figure, 'p50'], 2, 'p50 is 2, that of the samples is 3'],
    ['blocks that are not all samples', [...figure, 'blocks'], [2], 'blocks add up to 2, there are 5 samples'],
    ['a figure without samples', [...figure, 'samples'], [], 'suites[0].figures.ours.samples: '],
    ['a figure in a unit of its own', [...figure, 'unit'], 'parsec', 'suites[0].figures.ours.unit: '],
    [
      'a ratio of nothing',
      ['suites', 0, 'ratios', 'ours to theirs', 'reference'],
      'nobody',
      "ratio 'ours to theirs' is of the figure 'nobody', which is not there",
    ],
    [
      'a ladder whose stages do not belong together',
      ['suites', 0, 'ladders', 'reset', 'agent'],
      [1],
      'stages of one ladder must have equally many samples',
    ],
    ['a stage that there is not', ['suites', 0, 'ladders', 'reset'], { lunch: [1] }, 'suites[0].ladders.reset'],
  ];
  test.each(cases)('refuses %s', (_, path, value, message) => {
    expect(() => parseResult(changed(path, value), 'x.json')).toThrow(message);
  });

  test('refuses what is not JSON', () => {
    expect(() => parseResult('{', 'x.json')).toThrow('x.json is not JSON');
  });

  test('names at most ten problems', () => {
    const suites = Array.from({ length: 30 }, () => ({}));
    const text = JSON.stringify({ ...RESULT, suites } satisfies Omit<BenchResult, 'suites'> & { suites: unknown });
    expect(() => parseResult(text, 'x.json')).toThrow(/\n {2}and \d+ more$/);
  });
});

test('the recorded example is a result', async () => {
  const { suites } = await readResult(new URL('../fixtures/example-result.json', import.meta.url).pathname);
  expect(suites.map(({ suite }) => suite)).toEqual(['acquire', 'rpc', 'list', 'reset', 'init']);
});
