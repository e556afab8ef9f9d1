import { expect, test } from 'vitest';
import { replaceBlock } from './readme-block.ts';

test('only what is between the markers of the block changes, and twice is the same', () => {
  const readme = 'a\n<!-- figures:start -->\nold\n<!-- figures:end -->\n<!-- other:start -->\nb\n<!-- other:end -->';
  const once = replaceBlock(readme, 'figures', 'new');
  expect(once).toBe(readme.replace('old', 'new'));
  expect(once && replaceBlock(once, 'figures', 'new')).toBe(once);
});

test.each(['a', '<!-- figures:end --> <!-- figures:start -->'])(
  'a README without the markers is left alone: %s',
  (text) => {
    expect(replaceBlock(text, 'figures', 'new')).toBeNull();
  },
);
