import { expect, test } from 'vitest';
import { alternate } from './alternate.ts';

test('variants take turns, in turned order every second round', async () => {
  const ran: string[] = [];
  const variants = ['a', 'b'].map((name) => async () => void ran.push(name));
  for (const round of [0, 1, 2]) await alternate(round, variants);
  expect(ran).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
});
