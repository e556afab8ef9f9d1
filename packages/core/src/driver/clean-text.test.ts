import { describe, expect, test } from 'vitest';
import { cleanText } from './clean-text.ts';

describe('text of others', () => {
  test.each([
    ['a colour', '\u001b[31mred\u001b[0m', 'red'],
    ['the title of a window', '\u001b]0;owned\u0007after', 'after'],
    ['a cleared screen', 'before\u001b[2J\u001b[Hafter', 'beforeafter'],
    ['control characters of one byte', 'a\u009b31mb\u009dc', 'ab c'],
    ['a bell, a backspace and a line that is written over', 'a\u0007\b\rb', 'a b'],
    ['line breaks of every kind', 'a\nb\r\nc\u2028d\u0085e\u000bf', 'a b c d e f'],
    ['the direction of writing', 'a\u202Eb\u2066c', 'a b c'],
    ['nothing at all', '', ''],
    ['words of people', 'Größe: 3 µs, 日本', 'Größe: 3 µs, 日本'],
  ])('is shown without %s', (_what, text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  test('holds no control character, whatever it is', () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('');
    const shown = cleanText(all, { maxCharacters: 20_000, maxLines: 100 });
    expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
    expect(cleanText(all, { maxCharacters: 20_000 })).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  });

  test('is cut, and says by how much', () => {
    expect(cleanText('abcdef', { maxCharacters: 4 })).toBe('abcd… (2 more characters)');
    expect(cleanText('x'.repeat(10_000_000), { maxCharacters: 10 })).toBe('xxxxxxxxxx… (9999990 more characters)');
    expect(cleanText('ab😀', { maxCharacters: 3 })).toBe('ab… (2 more characters)');
  });

  test('keeps as many lines as it may', () => {
    expect(cleanText('a\n  b\tc\r\nd\ne', { maxLines: 2 })).toBe('a\n  b c\n(2 more lines)');
    expect(cleanText('a\nb', { maxLines: 2 })).toBe('a\nb');
  });
});
