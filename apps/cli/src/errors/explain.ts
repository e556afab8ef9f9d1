import { isWarmvmError, shownText } from '@warmvm/core/driver';
import { REMEDIES } from './remedies.ts';

/** Longest chain of causes that is printed. */
const MOST_LINES = 6;

/** What is printed of one message, and of one stack. */
const MAX_CHARACTERS = 8_000;
const MAX_MESSAGE_LINES = 60;
const MAX_STACK_CHARACTERS = 20_000;

/** What would pass for a line of this program: one that is not indented, or that begins as those below do. */
const OWN_LINE = /^(?! {2}|$)|^\s*(error|caused by|to do):/;

/** How an error is told. */
export interface ExplainOptions {
  /** Whether stacks are printed. @default false */
  readonly debug?: boolean;
}

/** An error, its causes and what to do, a line each. */
export function explain(error: unknown, { debug = false }: ExplainOptions = {}): string {
  const causes = causesOf(error);
  const chain = causes.filter((at, index) => !causes.slice(0, index).some((before) => says(before, messageOf(at))));
  const ownRemedy = causes.map(ownRemedyOf).find((remedy) => remedy !== undefined);
  const lines = chain.map((at, index) => {
    const code = isWarmvmError(at) ? `${at.code}: ` : '';
    // What is to be done is told once, where people look for it.
    const message =
      ownRemedy === undefined
        ? messageOf(at)
        : messageOf(at).replace(`; ${ownRemedy}`, '').replace(`. ${ownRemedy}`, '');
    return `${index === 0 ? 'error' : '  caused by'}: ${code}${shown(message)}`;
  });
  const first = chain.find((at) => isWarmvmError(at));
  const remedy = ownRemedy ?? (first && REMEDIES[first.code]);
  if (remedy !== undefined) lines.push(`  to do: ${shownText(remedy, { mostChars: MAX_CHARACTERS })}`);
  if (debug) {
    const stacks = chain.map((at) => (at instanceof Error ? (at.stack ?? '') : '')).filter(Boolean);
    lines.push(...stacks.map((stack) => shownText(stack, { mostChars: MAX_STACK_CHARACTERS, keepLineBreaks: true })));
  }
  return lines.join('\n');
}

/** What hosts and guests said is part of a message: it must not pass for a line of this program. */
function shown(message: string): string {
  const lines = shownText(message, { mostChars: MAX_CHARACTERS, keepLineBreaks: true }).split('\n');
  const [first = '', ...rest] = lines.slice(0, MAX_MESSAGE_LINES);
  if (lines.length > MAX_MESSAGE_LINES) rest.push(`(${lines.length - MAX_MESSAGE_LINES} more lines)`);
  return [first, ...rest.map((line) => (OWN_LINE.test(line) ? `    ${line.trimStart()}` : line))].join('\n');
}

/** The error and its causes. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && causes.length < MOST_LINES; ) {
    causes.push(at);
    at = (at as { cause?: unknown }).cause;
  }
  return causes;
}

function says(error: unknown, message: string): boolean {
  return messageOf(error).includes(message);
}

/** What the error itself says is to be done: it knows more than its code does. */
function ownRemedyOf(error: unknown): string | undefined {
  const remedy = isWarmvmError(error) ? error.details.remedy : undefined;
  return typeof remedy === 'string' && remedy !== '' ? remedy : undefined;
}

/** What an error says; anything else that was thrown, as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
