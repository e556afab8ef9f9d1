/** One part of a pattern: any number of characters, or a test of one. */
type Part = '*' | ((char: string) => boolean);

/** Whether a pattern of OpenSSH, with `*` and `?`, is about the text. The time grows with the lengths alone: patterns may be hostile. */
export function matchesPattern(pattern: string, text: string): boolean {
  return matchesParts([...pattern].map(partOf), [...text]);
}

/** What a list of patterns says of a text: a pattern with `!` that fits outweighs all others. Undefined where none fits. */
export function matchesList(patterns: readonly string[], text: string): boolean | undefined {
  let found: true | undefined;
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern(isNegated ? pattern.slice(1) : pattern, text)) continue;
    if (isNegated) return false;
    found = true;
  }
  return found;
}

/** Whether a pattern of the shell for one name in a folder fits, with `*`, `?`, `[a-z]` and `[!a]`. Hidden names need a dot in the pattern. */
export function matchesGlob(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  const parts: Part[] = [];
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] as string;
    const end = char === '[' ? chars.indexOf(']', chars[at + 1] === '!' ? at + 3 : at + 2) : -1;
    if (end > 0) {
      parts.push(oneOfClass(chars.slice(at + 1, end)));
      at = end;
    } else if (char === '\\' && at + 1 < chars.length) {
      at += 1;
      const next = chars[at];
      parts.push((one) => one === next);
    } else {
      parts.push(partOf(char));
    }
  }
  return matchesParts(parts, [...name]);
}

function partOf(char: string): Part {
  if (char === '*') return '*';
  return char === '?' ? () => true : (one) => one === char;
}

function oneOfClass(chars: readonly string[]): (char: string) => boolean {
  const isNegated = chars[0] === '!' || chars[0] === '^';
  const inside = isNegated ? chars.slice(1) : chars;
  const ranges: [string, string][] = [];
  for (let at = 0; at < inside.length; at += 1) {
    const from = inside[at] as string;
    const isRange = inside[at + 1] === '-' && at + 2 < inside.length;
    ranges.push([from, isRange ? (inside[at + 2] as string) : from]);
    if (isRange) at += 2;
  }
  return (char) => ranges.some(([from, to]) => from <= char && char <= to) !== isNegated;
}

function matchesParts(parts: readonly Part[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let index = 0; index < text.length; ) {
    const part = parts[at];
    if (part === '*') {
      star = at;
      retry = index;
      at += 1;
    } else if (part?.(text[index] as string)) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      retry += 1;
      index = retry;
    } else {
      return false;
    }
  }
  while (parts[at] === '*') at += 1;
  return at === parts.length;
}
