import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anchorsOf, deadLinks, linksOf } from './check-links.ts';

describe('links', () => {
  test('are found with their lines, and not in code', () => {
    const text = 'see [a](a.md) and ![b](b.svg)\n```sh\n[c](c.md)\n```\n`[d](d.md)` [e](e.md#f)';
    expect(linksOf(text)).toEqual([
      { line: 1, target: 'a.md' },
      { line: 1, target: 'b.svg' },
      { line: 5, target: 'e.md#f' },
    ]);
  });

  test('to headings have the names that GitHub gives them', () => {
    const text = '# The `pool`: how many?\n## WARMVM_HOST_LOST\n## Twice\n## Twice\n```sh\n# not one\n```\n';
    expect([...anchorsOf(text)]).toEqual(['the-pool-how-many', 'warmvm_host_lost', 'twice', 'twice-1']);
  });

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warmvm-links-'));
    await writeFile(join(folder, 'there.md'), '# Here\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ['[x](there.md)', []],
    ['[x](there.md#here)', []],
    ['[x](https://nowhere.example)', []],
    ['[x](gone.md)', ['a.md:1: there is no gone.md']],
    ['[x](there.md#gone)', ['a.md:1: there.md has no heading #gone']],
  ])('that lead nowhere are told: %s', (text, problems) => {
    expect(deadLinks('a.md', text, folder)).toEqual(problems);
  });
});
