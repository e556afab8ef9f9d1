import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shownText } from './shown-text.ts';

const ESC = '\u001b';

describe('text of somebody else', () => {
  test.each([
    ['a colour', `${ESC}[31mred${ESC}[0m`, 'red'],
    ['the title of a window', `${ESC}]0;pwned\u0007text`, 'text'],
    ['the title with its other end', `${ESC}]2;pwned${ESC}\\text`, 'text'],
    ['a link', `${ESC}]8;;http://x${ESC}\\here${ESC}]8;;${ESC}\\`, 'here'],
    ['a device control string', `a${ESC}P1$tx${ESC}\\b`, 'ab'],
    ['sequences of eight bits', 'a\u009b2Jb\u009d0;x\u009cc', 'abc'],
    ['a cursor that goes up and erases', `safe${ESC}[1A${ESC}[2Kevil`, 'safeevil'],
    ['a terminal that is reset', `${ESC}cgone`, 'gone'],
    ['backspaces and a carriage return', 'abc\b\b\bxyz\rq', 'abcxyz q'],
    ['a sequence that never ends', `begin ${ESC}]0;${'x'.repeat(50)}`, 'begin'],
    ['a bell and a zero', 'a\u0007\u0000b', 'ab'],
    ['a turned direction', 'a\u202eb\u2066c\u200bd\ufeffe', 'abcde'],
    ['half of a surrogate pair', 'a\ud800b', 'ab'],
    ['tags of Unicode', 'a\u{e0041}b', 'ab'],
    ['white space', '  a \n\t b  ', 'a b'],
    ['ordinary text in any script', 'Übergröße 日本語 🙂', 'Übergröße 日本語 🙂'],
  ])('loses %s', (_what, text, expected) => expect(shownText(text)).toBe(expected));

  test('is shortened, also when all of it is removed', () => {
    expect(shownText('x'.repeat(600))).toBe(`${'x'.repeat(499)}…`);
    expect(shownText('abc', { mostChars: 2 })).toBe('a…');
    expect(shownText(`${'\u0000'.repeat(1_000_000)}end`, { mostChars: 10 })).toBe('…');
    expect(shownText('a🙂🙂', { mostChars: 3 })).toBe('a…');
  });

  test('keeps its lines where that is asked for', () => {
    expect(shownText(`one\r\n\ttwo${ESC}[2J\u0007\rthree`, { keepLineBreaks: true })).toBe('one\n\ttwo\nthree');
  });

  test('holds nothing that a terminal obeys, whatever it was', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(ESC, `${ESC}[`, `${ESC}]`, '\u009b', '\u0007', '\n', '\u202e'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const shown = shownText(pieces.join(''), { mostChars: 40 });
        expect(shown.length).toBeLessThanOrEqual(40);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is the point
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(shownText(shown, { mostChars: 40 })).toBe(shown);
      }),
    );
  });
});
