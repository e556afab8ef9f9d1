/** A colour or another way of writing, as this program sets them. */
const STYLE = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;]{0,16}m)`);

/**
 * Text as it may reach a terminal: with line breaks and tabs, and with this program's own colours if `styles` is true. All other control
 * characters are removed. Everything that a command prints passes here last.
 */
export function terminalText(text: string, styles: boolean): string {
  const parts = styles ? text.split(STYLE) : [text];
  return parts
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '')))
    .join('');
}

/** Where the program writes; injected, so that tests read what people would. */
export interface Output {
  /** Standard output: what was asked for. */
  readonly write: (text: string) => void;
  /** Standard error: complaints. */
  readonly writeError: (text: string) => void;
  /** Whether errors are told with their stacks. @default false */
  readonly debug?: boolean;
}
