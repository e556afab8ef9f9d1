import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../../fixtures/results.ts';
import type { BenchResult } from '../../result/bench-result.ts';
import { parseResult } from '../../result/result-file.ts';
import type { SuiteResult } from '../../result/suite-result.ts';
import { renderPage } from './page.ts';

const EVIL = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&<!-- `;

function example(): BenchResult {
  const text = readFileSync(new URL('../../fixtures/example-result.json', import.meta.url), 'utf8');
  return parseResult(text, 'example-result.json');
}

/** Every string of a result, names included, made to break out of wherever it is put. */
function poisoned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const keep = ['unit', 'better', 'outcome', 'statistic', 'method', 'call', 'startedAt'].includes(key);
      return [key, keep || typeof inner !== 'string' ? poisoned(inner) : `${inner}${EVIL}`];
    }),
  );
}

function withEvilNames(suite: SuiteResult): SuiteResult {
  const rename = <Value>(record: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [`${name}${EVIL}`, value]));
  const { figures, ladders, ratios, facts } = suite;
  return { ...suite, figures: rename(figures), ladders: rename(ladders), ratios: rename(ratios), facts: rename(facts) };
}

function embedded(page: string): unknown {
  return JSON.parse(/<script type="application\/json" id="result">(.*?)<\/script>/s.exec(page)?.[1] ?? '');
}

describe('renderPage', () => {
  test('holds every sample, to be had again as the same result', () => {
    const result = example();
    expect(embedded(renderPage(result))).toEqual(result);
  });

  test('shows every verdict, figure, ratio and ladder of a run as text', () => {
    const result = example();
    const text = renderPage(result).replace(/<script.*?<\/script>/gs, '');
    const names = [
      ...result.verdicts.map(({ what }) => what),
      ...result.suites.flatMap(({ figures, ratios, ladders }) =>
        [figures, ratios, ladders].flatMap((record) => Object.keys(record)),
      ),
    ];
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) expect(text).toContain(name.replaceAll('&', '&amp;'));
  });

  test('no name, word or version of a result becomes markup', () => {
    const clean = example();
    const evil = poisoned(clean) as BenchResult;
    const page = renderPage({ ...evil, suites: evil.suites.map(withEvilNames) });
    const tags = (text: string): number => text.match(/<(script|img)\b/g)?.length ?? 0;
    expect(tags(page)).toBe(tags(renderPage(clean)));
    expect(page).not.toContain('<!-- ');
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(embedded(page)).toMatchObject({ schema: 2 });
  });

  test('allows its own style and script by their hashes, and nothing else', () => {
    const page = renderPage(example());
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll('&#39;', "'");
    const hashOf = (part: RegExp): string =>
      createHash('sha256')
        .update(part.exec(page)?.[1] ?? '')
        .digest('base64');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hashOf(/<style>(.*?)<\/style>/s)}'`);
    expect(policy).toContain(`script-src 'sha256-${hashOf(/<script>(.*?)<\/script>/s)}'`);
    expect(page).not.toMatch(/ style="| on[a-z]+="|(?:src|href)="(?!#)/);
  });

  test('draws numbers, whatever the samples are', () => {
    const suites = [
      suiteResult((recorder) => {
        for (const value of [0, 0, 0]) recorder.add('nothing', value);
        recorder.add('once', 5);
        for (const value of [0, 1e-6, 1e7]) recorder.add('wide', value);
      }),
    ];
    expect(renderPage(benchResult(suites))).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  test('is a page also where nothing was measured', () => {
    expect(renderPage(benchResult([]))).toContain('Measured, with nothing to hold it against');
  });
});
