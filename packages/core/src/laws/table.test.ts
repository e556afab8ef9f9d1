import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mutants } from './fixtures/mutants.ts';

interface Row {
  readonly law: number;
  /** File of tests, or `-`. */
  readonly test: string;
}

function readText(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

const rows: readonly Row[] = [
  ...readText('../../../../docs/pool.md').matchAll(/^\| (\d+) \|.*\| `?([a-z-]+)`? \|$/gm),
].map(([, law, file]) => ({ law: Number(law), test: file ?? '' }));

describe('the table of laws in docs/pool.md', () => {
  test('has every law once, in order', () => {
    expect(rows.map(({ law }) => law)).toEqual(Array.from({ length: 54 }, (_, index) => index + 1));
  });

  test.each(rows)('names tests that look at law $law', ({ law, test: file }) => {
    const sources = file === 'schedule' ? ['fixtures/checks.ts', 'fixtures/event-checks.ts'] : [`${file}.test.ts`];
    const texts = sources.map((source) => readText(`./${source}`)).join('\n');
    expect(texts).toMatch(new RegExp(`laws? (?:\\d+, )*(?:\\d+ and )?${law}\\b`));
  });

  test.each(rows)('has a planted fault for law $law, seen by the tests it names', ({ law, test: file }) => {
    const planted = mutants.filter((mutant) => mutant.law === law);
    expect(planted.map((mutant) => mutant.test)).toContain(file);
  });
});
