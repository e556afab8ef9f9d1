import { styleText } from 'node:util';

/** How the view is dressed. */
export interface TopStyle {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  /** The state of a slot. */
  readonly state: (state: string) => string;
}

/** Without colours. */
export const PLAIN_STYLE: TopStyle = { strong: same, faint: same, state: same };

const STATES: Readonly<Record<string, 'green' | 'cyan' | 'red'>> = {
  ready: 'green',
  leased: 'cyan',
  quarantined: 'red',
};

const always = { validateStream: false } as const;

const COLOURED_STYLE: TopStyle = {
  strong: (text) => styleText('bold', text, always),
  faint: (text) => styleText('gray', text, always),
  state: (state) => styleText(STATES[state] ?? 'yellow', state, always),
};

/** Colours where the terminal shows them, and not with `NO_COLOR`. */
export function topStyle(stream: NodeJS.WriteStream): TopStyle {
  return stream.isTTY === true && stream.hasColors() ? COLOURED_STYLE : PLAIN_STYLE;
}

function same(text: string): string {
  return text;
}
