import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assetPath } from '../../package-files.ts';

/** Of text that is not large, WCAG 2 level AA. */
const TEXT_CONTRAST = 4.5;
/** Of lines and areas that carry a meaning. */
const SHAPE_CONTRAST = 3;
const SCHEMES = ['light', 'dark'] as const;
const SURFACES = ['paper', 'raised'];

const style = readFileSync(assetPath('style/base.css'), 'utf8');
const ladders = readFileSync(assetPath('style/ladders.css'), 'utf8');

function colours(scheme: (typeof SCHEMES)[number]): Readonly<Record<string, string>> {
  const pairs = [...style.matchAll(/--([a-z]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
  return Object.fromEntries(pairs.map(([, name, light, dark]) => [name, scheme === 'light' ? light : dark]));
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first: string, second: string): number {
  const [dark, light] = [luminance(first), luminance(second)].toSorted((left, right) => left - right) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

describe.each(SCHEMES)('colours in the %s', (scheme) => {
  const all = colours(scheme);

  test.each(['ink', 'soft', 'accent', 'good', 'bad', 'fair'])('text in %s can be read on every surface', (name) => {
    for (const surface of SURFACES) expect(contrast(all[name]!, all[surface]!)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });

  test.each(['dots', 'queue', 'fork', 'reset', 'agent', 'exec', 'detect'])('shapes in %s stand out', (name) => {
    for (const surface of SURFACES) expect(contrast(all[name]!, all[surface]!)).toBeGreaterThanOrEqual(SHAPE_CONTRAST);
  });

  test('names inside the bars of stages can be read', () => {
    const [, light, dark] = /\.stage-name \{[^}]*light-dark\((#\w+), (#\w+)\)/.exec(ladders)!;
    const name = scheme === 'light' ? light! : dark!;
    for (const stage of ['queue', 'fork', 'reset', 'exec', 'detect']) {
      expect(contrast(name, all[stage]!)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
    }
    const onAgent = /\.stage-name\.agent \{[^}]*fill: (#\w+)/.exec(ladders)![1]!;
    expect(contrast(onAgent, all.agent!)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });
});
