import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../../fixtures/results.ts';
import type { BenchResult } from '../../result/bench-result.ts';
import { parseResult } from '../../result/result-file.ts';
import { PLAIN_STYLE } from './style.ts';
import { suiteText } from './suite-text.ts';
import { closingText } from './summary.ts';

function example(): BenchResult {
  const file = readFileSync(new URL('../../fixtures/example-result.json', import.meta.url), 'utf8');
  return parseResult(file, 'example-result.json');
}

describe('closingText', () => {
  test('says loudly and in plain letters that a floor is missed, and ends with why', () => {
    const result = example();
    const text = closingText(result, PLAIN_STYLE);
    expect(text).toMatch(/✗ FLOOR MISSED +\S+ +.*≥ 2×.* ratio|✗ FLOOR MISSED/);
    expect(text.split('\n').at(-1)).toContain(`✗ ${result.gate.reasons.at(-1)}`);
  });

  test('leaves columns out until a table fits a narrow terminal', () => {
    const result = { ...example(), gate: { passed: true, reasons: [] } };
    const widest = (columns: number): number => {
      const lines = closingText(result, { ...PLAIN_STYLE, columns })
        .split('\n')
        .slice(0, -1);
      return Math.max(...lines.map((line) => line.length));
    };
    expect(widest(Number.POSITIVE_INFINITY)).toBeGreaterThan(120);
    for (const columns of [120, 100, 80]) expect(widest(columns)).toBeLessThanOrEqual(columns);
  });
});

describe('suiteText', () => {
  test('draws each figure as a row with its distribution, and shows ratios, facts and caveats below', () => {
    const suite = suiteResult((recorder) => {
      for (const value of [10, 10, 10, 20]) recorder.add('ours', value);
      for (const value of [20, 20, 20, 40]) recorder.add('theirs', value);
      recorder.ratio('ours to theirs', 'ours', 'theirs');
      recorder.fact('peer', 'python');
      recorder.caveat('The computer was busy.');
    });
    const text = suiteText(suite, PLAIN_STYLE);
    expect(text).toMatch(/ours +█ +▃ +10 ms +20 ms +20 ms +20 ms +4/);
    expect(text).toMatch(/theirs .*█ +▃ +20 ms/);
    expect(text).toMatch(/ours to theirs: 0\.5/);
    expect(text).toContain('peer: python');
    expect(text).toContain('! The computer was busy.');
    expect(text).toContain('QEMU 7.2.22, libvirt 9.0.0; acceleration tcg: no /dev/kvm');
  });

  test('draws a ladder with the median of each stage and of the whole', () => {
    const suite = {
      ...suiteResult(() => {}),
      ladders: { 'reset in place': { reset: [60, 62, 64], agent: [200, 190, 210] } },
    };
    const text = suiteText(suite, PLAIN_STYLE);
    expect(text).toContain('reset in place 260 ms median of 3');
    expect(text).toContain('█ reset 62 ms   ▓ agent 200 ms');
    expect(text).toMatch(/ █{9}▓{31}\n/);
  });

  test('no name moves the cursor, rings, or begins a line', () => {
    const evil = 'a\u001b[2J\u001b]0;title\u0007\r\nb\u202e\u0000';
    const suite = suiteResult((recorder) => recorder.add(evil, 1), { caveats: [evil], facts: { [evil]: evil } });
    const text = suiteText(suite, PLAIN_STYLE) + closingText(benchResult([suite], { commit: evil }), PLAIN_STYLE);
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('! a b');
  });
});
