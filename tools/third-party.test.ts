import { describe, expect, test } from 'vitest';
import { licenceProblems, noticesOf } from './third-party.ts';

const free = { name: 'b', versions: ['1.0.0', '2.0.0'], license: 'MIT', homepage: 'https://b.example' };
const other = { name: 'a', versions: ['1.0.0'], license: 'AGPL-3.0-only' };

describe('third-party notices', () => {
  test('list every package by name, with all its versions', () => {
    const rows = noticesOf([free, other])
      .split('\n')
      .filter((line) => /^\| [ab] /.test(line));
    expect(rows).toEqual(['| a | 1.0.0 | AGPL-3.0-only |  |', '| b | 1.0.0, 2.0.0 | MIT | https://b.example |']);
  });

  test('need a look at a licence that is not known to be free', () => {
    expect(licenceProblems([free, other])).toEqual([expect.stringMatching(/^a is under AGPL-3\.0-only/)]);
  });
});
