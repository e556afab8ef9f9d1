import { expect, test } from 'vitest';
import { originText } from './origin-text.ts';

test.each([
  ['1.2.3', 'abc', ', with @warmvm/bench 1.2.3, at commit abc'],
  ['1.2.3', null, ', with @warmvm/bench 1.2.3'],
  [null, 'abc', ', at commit abc'],
  [null, null, ''],
])('a result of version %s and commit %s says so', (version, commit, text) => {
  expect(originText({ version, commit })).toBe(text);
});
