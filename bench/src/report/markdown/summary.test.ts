import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../../fixtures/results.ts';
import type { BenchResult } from '../../result/bench-result.ts';
import type { FigureComparison } from '../../result/comparison.ts';
import { parseResult } from '../../result/result-file.ts';
import { text } from './escape.ts';
import { renderMarkdown } from './summary.ts';

function example(): BenchResult {
  const file = readFileSync(new URL('../../fixtures/example-result.json', import.meta.url), 'utf8');
  return parseResult(file, 'example-result.json');
}

const FIGURE: FigureComparison = {
  suite: 'reset',
  driver: 'qemu',
  figure: 'to ready',
  unit: 'ms',
  better: 'lower',
  base: { samples: 20, p50: 100 },
  current: { samples: 20, p50: 121 },
  ratio: 1.21,
  low: 1.15,
  high: 1.27,
  p: 0.001,
  adjustedP: 0.002,
  call: 'worse',
  sentence: 'to ready is 21 % worse.',
};

function compared(figures: readonly FigureComparison[]): BenchResult {
  const origin = { label: 'main', commit: 'abcdef0123456', startedAt: '2026-11-01T12:00:00.000Z' };
  return benchResult([], {
    comparison: {
      base: origin,
      current: { ...origin, label: 'this run' },
      threshold: 0.1,
      confidence: 0.95,
      interleaved: false,
      differences: [],
      figures,
      onlyInBase: [],
      onlyInCurrent: [],
      call: 'worse',
      sentence: '1 of 2 figures is worse.',
    },
  });
}

describe('renderMarkdown', () => {
  test('begins with the verdict and the reasons, then what was missed', () => {
    const result = example();
    const lines = renderMarkdown(result).split('\n');
    expect(lines[0]).toMatch(/^## ❌ \d+ of \d+ floors (is|are) missed$/);
    expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(result.gate.reasons.length);
    const rows = lines.filter((line) => line.startsWith('| ❌') || line.startsWith('| ★'));
    expect(rows[0]).toContain('**floor missed**');
    expect(rows[0]).toMatch(/ \*\*[\d.]+×\*\* \|$/);
  });

  test('shows each suite, folded', () => {
    const result = example();
    const page = renderMarkdown(result);
    expect(page.match(/<details>\n<summary>/g)).toHaveLength(result.suites.length + 1);
    expect(page.match(/<\/details>/g)).toHaveLength(result.suites.length + 1);
  });

  test('a summary line is HTML: no backslashes of Markdown in it', () => {
    const suite = suiteResult((recorder) => recorder.add('a', 1), { suite: 'a_b [c]', driver: './my_driver.ts' });
    expect(renderMarkdown(benchResult([suite]))).toContain('<summary>a_b [c] (./my_driver.ts): 1 figure</summary>');
  });

  test('calls what became worse by name, with its ratio and confidence, and folds what did not change', () => {
    const page = renderMarkdown(compared([{ ...FIGURE, figure: 'same', call: 'unchanged', ratio: 1.01 }, FIGURE]));
    expect(page).toMatch(/^## ❌ 1 figure is worse than the base/);
    expect(page).toContain(
      '| ▼ **worse** | to ready <sub>reset, qemu</sub> | 100 ms | 121 ms | **+21 %** | 1.21 (1.15 – 1.27) |',
    );
    expect(page.indexOf('same')).toBeGreaterThan(page.indexOf('<summary>1 figure is unchanged'));
    expect(page).toContain('drift of the computer is part of every ratio');
  });

  test('keeps below the limit of a comment, whatever is measured, and says what it left out', () => {
    const suites = Array.from({ length: 60 }, (_, suite) =>
      suiteResult(
        (recorder) => {
          for (let figure = 0; figure < 40; figure += 1)
            recorder.add(`figure ${figure} | ${'ä'.repeat(40)}`, figure + 1);
        },
        { suite: `suite ${suite}` },
      ),
    );
    const page = renderMarkdown(benchResult(suites));
    expect(Buffer.byteLength(page)).toBeLessThan(60_000);
    expect(page).toContain('suite 0');
    expect(page).toMatch(/Not shown for want of room: .*suite 59 \\\(libvirt\\\)\.\n$/);
    const reasons = Array.from({ length: 5_000 }, (_, index) => `reason ${index} that takes some room`);
    const long = renderMarkdown(benchResult([], { gate: { passed: false, reasons } }));
    expect(Buffer.byteLength(long)).toBeLessThan(60_000);
    expect(long).toContain('The rest did not fit.');
  });

  test('nothing of a result becomes a cell, a tag, a link, a mention or a reference', () => {
    const evil = 'x | y\n\n<img src=x> [a](http://b) ![c](d) `e` @team #12 **bold** </details> www.f.org';
    const suite = suiteResult((recorder) => recorder.add(evil, 1), { suite: evil, driver: evil, caveats: [evil] });
    const page = renderMarkdown(benchResult([suite], { gate: { passed: false, reasons: [evil] }, commit: evil }));
    const markdown = page.replaceAll(/<summary>.*<\/summary>/g, '');
    expect(page).not.toMatch(/<img|@team|#12|http:\/\/|www\.f/);
    expect(markdown).not.toMatch(/\]\(|[^*\\]\*\*bold|[^\\]`/);
    expect(page.match(/<details>/g)).toHaveLength(page.match(/<\/details>/g)!.length);
    const widths = page
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.match(/(?<!\\)\|/g)!.length);
    expect(new Set(widths)).toEqual(new Set([6, 7]));
  });
});

test('plain words stay plain', () => {
  expect(text('5 forks ready, in-place: 60.6 ms')).toBe('5 forks ready, in-place: 60.6 ms');
});
