import { stripVTControlCharacters, styleText } from 'node:util';
import type { Tone } from '../outcome-words.ts';

/** How text for a terminal is dressed. */
export interface TerminalStyle {
  readonly tone: (tone: Tone, text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  /** Width of the terminal; infinite for files and pipes. */
  readonly columns: number;
}

const same = (text: string): string => text;

/** For files, pipes, and terminals without colours. */
export const PLAIN_STYLE: TerminalStyle = {
  tone: (_tone, text) => text,
  strong: same,
  faint: same,
  columns: Number.POSITIVE_INFINITY,
};

const always = { validateStream: false } as const;
const TONES = { good: 'green', bad: 'red', fair: 'yellow', plain: 'gray' } as const;

const COLOURED_STYLE: Omit<TerminalStyle, 'columns'> = {
  tone: (tone, text) => styleText(tone === 'bad' ? ['red', 'bold'] : TONES[tone], text, always),
  strong: (text) => styleText('bold', text, always),
  faint: (text) => styleText('gray', text, always),
};

/** Colours where the stream shows them: not in a pipe, and not with `NO_COLOR`. */
export function styleFor(stream: NodeJS.WriteStream): TerminalStyle {
  if (!stream.isTTY) return PLAIN_STYLE;
  return { ...(stream.hasColors() ? COLOURED_STYLE : PLAIN_STYLE), columns: stream.columns };
}

/** Names and words from outside: nothing that moves a cursor, rings a bell, turns the direction of text or begins a line. */
export function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, '');
}
