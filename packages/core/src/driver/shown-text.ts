/** How {@link shownText} cleans a text. */
export interface ShownTextOptions {
  /** The longest result, in UTF-16 code units; what is cut off is replaced by `…`. @default 500 */
  readonly mostChars?: number;
  /** Whether line breaks and tabs stay. Otherwise each run of white space becomes one space. @default false */
  readonly keepLineBreaks?: boolean;
}

/** Commands to a terminal: operating system commands and other strings with their end, then control sequences, then escapes of two characters. */
const TERMINAL_COMMANDS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?/g;
/** What has no width or turns the direction of what follows: a text that holds it does not say what it seems to say. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
const CONTROLS_IN_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Makes text from somewhere else (a server, a guest, a daemon, a file) safe to show a person: without control characters, commands to a terminal
 * and characters that cannot be seen, and not longer than `mostChars`. The time it takes does not depend on the length of the text.
 */
export function shownText(text: string, { mostChars = 500, keepLineBreaks = false }: ShownTextOptions = {}): string {
  // What is removed may be longer than what stays, but nobody reads on after that much of it.
  const part = text.slice(0, mostChars * 8);
  const spaced = keepLineBreaks ? part.replaceAll(/\r\n?/g, '\n') : part;
  const visible = spaced.replaceAll(TERMINAL_COMMANDS, '').replaceAll(INVISIBLE, '');
  const clean = keepLineBreaks
    ? visible.replaceAll(CONTROLS_IN_LINES, '')
    : visible.replaceAll(/\s+/g, ' ').replaceAll(CONTROLS, '').trim();
  const isCut = clean.length > mostChars || part.length < text.length;
  return isCut ? `${clean.slice(0, Math.max(0, mostChars - 1)).replace(/[\ud800-\udbff]$/, '')}…` : clean;
}
