import { expect, test } from 'vitest';
import { exampleSources, withFault } from './foreign-driver.ts';

test('the fault is planted once in the example of the guide, and nowhere else', async () => {
  const right = await exampleSources();
  const wrong = withFault(right);
  expect([...right].filter(([file, text]) => wrong.get(file) !== text).map(([file]) => file)).toEqual(['driver.ts']);
  expect(wrong.get('driver.ts')).not.toContain('this.#shoebox.undefine(name)');
});

test('a fault that cannot be planted is an error: a check without it would prove nothing', () => {
  expect(() => withFault(new Map([['driver.ts', 'another driver']]))).toThrow('must hold once');
});
