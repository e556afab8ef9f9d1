import { stripVTControlCharacters } from 'node:util';

/** Options of {@link cleanText}. */
export interface CleanTextOptions {
  /** Characters that are kept at most, at least 1; what is cut is counted. @default 2000 */
  readonly maxCharacters?: number;
  /** Lines that are kept at most; with 1, line breaks become spaces. @default 1 */
  readonly maxLines?: number;
}

const DEFAULT_MAX_CHARACTERS = 2_000;

/**
 * Text of a guest, a host or a file, as a person may read it on a terminal: without escape sequences, control characters and characters that turn the direction of
 * writing, and not longer than stated. Never throws.
 */
export function cleanText(text: string, options: CleanTextOptions = {}): string {
  const { maxCharacters = DEFAULT_MAX_CHARACTERS, maxLines = 1 } = options;
  // Twice as much as is kept: escape sequences that are taken out leave room.
  const seen = text.slice(0, 2 * maxCharacters);
  const plain = stripVTControlCharacters(seen);
  const cleaned = maxLines === 1 ? oneLine(plain) : severalLines(plain, maxLines);
  const unseen = text.length - seen.length;
  if (cleaned.length <= maxCharacters && unseen === 0) return cleaned;
  const head = cleaned.slice(0, maxCharacters).replace(/[\uD800-\uDBFF]$/, '');
  return `${head}… (${cleaned.length - head.length + unseen} more characters)`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
}

function severalLines(text: string, maxLines: number): string {
  const lines = text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\S\n]/g, ' ')
    .replaceAll(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, '')
    .split('\n')
    .map((line) => line.trimEnd());
  if (lines.length <= maxLines) return lines.join('\n');
  return [...lines.slice(0, maxLines), `(${lines.length - maxLines} more lines)`].join('\n');
}
