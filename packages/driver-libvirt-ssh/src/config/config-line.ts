/** One line of an ssh configuration. */
export interface ConfigLine {
  /** In lower case. */
  readonly keyword: string;
  /** The arguments, without quotes and comment. */
  readonly words: readonly string[];
  /** Everything after the keyword, as it stands there: what commands and `Match` are made from. */
  readonly rest: string;
}

/**
 * Takes a line apart as OpenSSH does: `Keyword arguments` or `Keyword=arguments`, quotes of both kinds, and a comment only where an argument would begin.
 * @returns undefined for an empty line or a comment
 * @throws SyntaxError for a quote without an end
 */
export function parseConfigLine(line: string): ConfigLine | undefined {
  const text = line.replace(/^[ \t]+/, '').replace(/[ \t\r\n\f]+$/, '');
  if (text === '' || text.startsWith('#')) return undefined;
  const [keyword, rest] = nextWord(text);
  if (keyword === '') return undefined;
  return { keyword: keyword.toLowerCase(), words: splitWords(rest), rest: rest.replace(/^[ \t\r\n=]+/, '') };
}

/** The words of what follows `Match`, where quotes stand around a whole word only. */
export function matchWords(rest: string): readonly string[] {
  const words: string[] = [];
  for (let left = rest; left !== ''; ) {
    const [word, after] = nextWord(left);
    if (word.startsWith('#')) break;
    words.push(word);
    left = after;
  }
  return words;
}

/** A word, and what stands behind it and its separator: white space with one `=` in it at most. */
function nextWord(text: string): readonly [word: string, rest: string] {
  if (text.startsWith('"')) {
    const end = text.indexOf('"', 1);
    if (end < 0) throw new SyntaxError('a quote has no end');
    return [text.slice(1, end), afterSeparator(text.slice(end + 1))];
  }
  const end = text.search(/[ \t\r\n="]/);
  if (end < 0) return [text, ''];
  // A quote in the middle ends the word without being part of what separates it.
  return [text.slice(0, end), text[end] === '"' ? text.slice(end + 1) : afterSeparator(text.slice(end))];
}

function afterSeparator(text: string): string {
  return text.replace(/^[ \t\r\n]*=?[ \t\r\n]*/, '');
}

function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === ' ' || text[at] === '\t') {
      at += 1;
      continue;
    }
    if (text[at] === '#') break;
    let word = '';
    let quote = '';
    for (; at < text.length; at += 1) {
      const char = text[at] as string;
      const next = text[at + 1];
      if (char === '\\' && (next === "'" || next === '"' || next === '\\' || (quote === '' && next === ' '))) {
        word += next;
        at += 1;
      } else if (quote === '' && (char === ' ' || char === '\t')) {
        break;
      } else if (quote === '' && (char === '"' || char === "'")) {
        quote = char;
      } else if (quote !== '' && char === quote) {
        quote = '';
      } else {
        word += char;
      }
    }
    if (quote !== '') throw new SyntaxError('a quote has no end');
    words.push(word);
  }
  return words;
}
