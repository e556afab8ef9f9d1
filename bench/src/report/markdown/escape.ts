/** Between an `@` or a `#` and what follows, so that nobody is called and no issue is linked: a space of no width. */
const BREAK = '&#8203;';

/** Names and words from outside as text between HTML tags, where Markdown is not read. */
export function htmlText(value: string): string {
  return value
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[@#]/g, (character) => `${character}${BREAK}`)
    .replaceAll('://', `:${BREAK}//`)
    .replaceAll(/\bwww\./gi, (start) => `${start.slice(0, -1)}${BREAK}.`);
}

/** Names and words from outside as text of a Markdown line or table cell, and nothing but text. */
export function text(value: string): string {
  // The breaks and entities that `htmlText` puts in are made of characters that mean nothing to Markdown where they stand.
  return htmlText(value.replaceAll(/[\\`*_{}[\]()|~$!]/g, (character) => `\\${character}`));
}

/** A table. Cells are Markdown already; columns named with a trailing `>` stand to the right. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = columns.map((column) => column.replace(/>$/, ''));
  const rules = columns.map((column) => (column.endsWith('>') ? '---:' : '---'));
  return [names, rules, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A part that is folded until somebody wants it. The blank lines let Markdown begin again inside. */
export function folded(summary: string, body: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
