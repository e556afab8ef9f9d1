import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { assetPath } from '../../package-files.ts';
import type { BenchResult } from '../../result/bench-result.ts';
import { headline } from '../headline.ts';
import { comparisonSection } from './comparison-section.ts';
import { h } from './element.ts';
import { environmentSection } from './environment-section.ts';
import { section } from './parts.ts';
import { suiteAnchor, suiteSection } from './suite-section.ts';
import { verdictSection } from './verdict-section.ts';

const STYLES = ['base', 'head', 'sections', 'tables', 'plots', 'ladders', 'narrow', 'print'];

const style = STYLES.map((name) => textOf(`style/${name}.css`)).join('\n');
const script = textOf('page.js');

/**
 * A result as one HTML file that needs no network: what was embedded is all there is, and the page's own policy lets nothing else
 * in. Every name of the result is text, never markup.
 */
export function renderPage(result: BenchResult): string {
  const { sentence, scene } = headline(result);
  const head = h(
    'head',
    null,
    h('meta', { charset: 'utf-8' }),
    h('meta', { 'http-equiv': 'Content-Security-Policy', content: policy() }),
    h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    h('meta', { name: 'color-scheme', content: 'light dark' }),
    h('meta', { name: 'referrer', content: 'no-referrer' }),
    h('title', null, `${sentence} – warmvm bench`),
    h('meta', { name: 'description', content: scene.join(' · ') }),
    h('style', verbatim(style)),
  );
  const page = h('html', { lang: 'en' }, head, body(result));
  return `<!doctype html>\n${renderToString(page)}\n`;
}

function body(result: BenchResult): VNode {
  return h(
    'body',
    null,
    h('a', { class: 'skip', href: '#main' }, 'Skip to the figures'),
    h('header', { class: 'page-head' }, masthead(result), contents(result)),
    h(
      'main',
      { id: 'main' },
      verdictSection(result),
      comparisonSection(result.comparison),
      ...result.suites.map((suite, index) => suiteSection(suite, index, result)),
      environmentSection(result),
      data(),
    ),
    h('output', { id: 'readout', hidden: true }),
    h('script', { type: 'application/json', id: 'result', ...verbatim(harmlessJson(result)) }),
    h('script', verbatim(script)),
  );
}

function masthead(result: BenchResult): VNode {
  const { sentence, details, scene, tone } = headline(result);
  return h(
    'div',
    { class: `masthead ${tone}` },
    h(
      'div',
      { class: 'bar-top' },
      h('p', { class: 'brand' }, h('b', null, 'warmvm'), ' bench'),
      h('button', { type: 'button', id: 'theme', hidden: true }, 'Colours: automatic'),
    ),
    h('h1', null, sentence, '.'),
    details.length === 0 ? null : h('p', { class: 'details' }, `${details.join('. ')}.`),
    result.gate.passed
      ? null
      : h('ul', { class: 'reasons' }, ...result.gate.reasons.map((reason) => h('li', null, reason))),
    h('p', { class: 'scene' }, ...scene.map((part) => h('span', null, part))),
  );
}

function contents({ suites, verdicts, comparison }: BenchResult): VNode {
  const drivers = new Set(suites.map(({ driver }) => driver));
  const links: readonly (readonly [id: string, text: string])[] = [
    ...(verdicts.length === 0 ? [] : [['verdicts', 'Verdicts'] as const]),
    ...(comparison === null ? [] : [['comparison', 'Comparison'] as const]),
    ...suites.map(({ suite, driver }, index) => {
      return [suiteAnchor(index), drivers.size === 1 ? suite : `${suite} (${driver})`] as const;
    }),
    ['environment', 'Environment'],
    ['data', 'Data'],
  ];
  const items = links.map(([id, text]) => h('li', null, h('a', { href: `#${id}` }, text)));
  return h('nav', { 'aria-label': 'Contents' }, h('ul', null, ...items));
}

function data(): VNode {
  return section(
    'data',
    'Data',
    h(
      'p',
      { class: 'lead' },
      'Every sample of every figure is inside this file, in the order in which it was taken. A comparison reads the same format: ',
      h('code', null, '--compare'),
      '.',
    ),
    h('p', null, h('button', { type: 'button', id: 'download', hidden: true }, 'Download the result as JSON')),
    h(
      'noscript',
      null,
      h('p', null, 'With scripts turned off, the data is in the element with the id “result” of this page’s source.'),
    ),
  );
}

/** Allows exactly the style and the script of this page. */
function policy(): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
}

/** Without a `<` nothing in it can end its element; the separators are no line ends in JSON, but were in scripts. */
function harmlessJson(result: BenchResult): string {
  return JSON.stringify(result).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function verbatim(text: string): { readonly dangerouslySetInnerHTML: { readonly __html: string } } {
  return { dangerouslySetInnerHTML: { __html: text } };
}

function textOf(file: string): string {
  return readFileSync(assetPath(file), 'utf8');
}
