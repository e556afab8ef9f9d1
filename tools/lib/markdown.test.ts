import { describe, expect, test } from 'vitest';
import { blockFileName, blockModule, codeBlocks, regionOf } from './markdown.ts';

const text = [
  '# Title',
  '',
  '```ts',
  "import x from 'y';",
  '```',
  '',
  '```sh',
  'npm install',
  '```',
  '',
  '```ts runnable',
  'f();',
  '```',
].join('\n');

describe('code blocks', () => {
  test('only the TypeScript ones are found, with the line of their first line of code', () => {
    expect(codeBlocks('a.md', text).map(({ line, runnable }) => ({ line, runnable }))).toEqual([
      { line: 4, runnable: false },
      { line: 12, runnable: true },
    ]);
  });

  test('a fence inside a longer fence is content', () => {
    expect(codeBlocks('a.md', '````md\n```ts\nx\n```\n````')).toEqual([]);
  });

  test('a block that is never closed ends with the file', () => {
    expect(codeBlocks('a.md', '```ts\nx;')[0]?.code).toBe('x;\n');
  });

  test('a word that means nothing is an error with its place', () => {
    expect(() => codeBlocks('a.md', '\n```ts no-check\nx\n```')).toThrow(/a\.md:2: "no-check"/);
  });

  test('the module has the line numbers of the document and is a module', () => {
    const block = codeBlocks('docs/a.md', text)[1];
    expect(block && blockModule(block).split('\n')[11]).toBe('f();');
    expect(block && blockModule(block)).toContain('export {};');
    expect(block && blockFileName(block)).toBe('docs__a.md.L12.ts');
  });

  test('a block may say which region of which file it is cut from', () => {
    const [block] = codeBlocks('a.md', '```ts from=docs/a/b.ts#one\nf();\n```');
    expect(block?.source).toEqual({ file: 'docs/a/b.ts', region: 'one' });
    expect(() => codeBlocks('a.md', '```ts from=docs/a/b.ts\n```')).toThrow(/means nothing/);
  });

  test('a region is cut out at the left margin', () => {
    const text = 'a\n  // #region one\n  f({\n    b,\n\n  });\n  // #endregion\n// #region two\n';
    expect(regionOf(text, 'one')).toBe('f({\n  b,\n\n});\n');
    expect(regionOf(text, 'two')).toBeUndefined();
    expect(regionOf(text, 'three')).toBeUndefined();
  });
});
