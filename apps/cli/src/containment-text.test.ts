import { expect, test } from 'vitest';
import { containmentText } from './containment-text.ts';

const filter = { name: 'system calls', active: true, detail: 'a filter' };
const user = { name: 'user', active: true, detail: 'another' };
const limits = { name: 'memory', active: false, detail: 'not limited: no cgroup', remedy: 'delegate one' };

test('what confines machines is one line, and what does not is one each, with what to do', () => {
  expect(containmentText([filter, limits, user])).toBe(
    '  contained: system calls; user\n  not contained: memory: not limited: no cgroup; to mend it: delegate one\n',
  );
  expect(containmentText([limits])).toMatch(/^ {2}contained: nothing\n/);
});

test('nothing is said for a driver that cannot tell', () => {
  expect(containmentText([])).toBe('');
});
