// Relative links of the documents must lead to something: a file or folder of this checkout, and where they name a heading, to that.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { documents } from './lib/documents.ts';
import { root } from './lib/repository.ts';

/** Links of a Markdown text with their lines, without those in code. */
export function linksOf(text: string): readonly { readonly line: number; readonly target: string }[] {
  let fence = '';
  return text.split('\n').flatMap((content, index) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(content)?.[1] ?? '';
    if (mark !== '' && (fence === '' || mark.startsWith(fence))) fence = fence === '' ? mark : '';
    if (fence !== '' || mark !== '') return [];
    const prose = content.replaceAll(/`[^`]*`/g, '');
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ line: index + 1, target: match[1] as string }));
  });
}

/** Names under which GitHub shows the headings of a text. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, title = ''] of text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*$/gm)) {
    const slug = title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Links of one document that lead nowhere. */
export function deadLinks(file: string, text: string, base: string): readonly string[] {
  return linksOf(text).flatMap(({ line, target }) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const found = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(join(base, found))) return [`${file}:${line}: there is no ${found}`];
    if (anchor === undefined || !found.endsWith('.md') || statSync(join(base, found)).isDirectory()) return [];
    if (anchorsOf(readFileSync(join(base, found), 'utf8')).has(anchor)) return [];
    return [`${file}:${line}: ${found} has no heading #${anchor}`];
  });
}

/** Checks every document of this checkout. */
export function checkLinks(): GateOutcome {
  const files = [...documents(), 'SECURITY.md'];
  const texts = files.map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);
  const problems = texts.flatMap(([file, text]) => deadLinks(file, text, root));
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  const links = texts.reduce((sum, [, text]) => sum + linksOf(text).length, 0);
  return links > 0
    ? { kind: 'passed', note: `${links} links in ${files.length} documents` }
    : { kind: 'failed', details: 'no link found: that cannot be right' };
}
