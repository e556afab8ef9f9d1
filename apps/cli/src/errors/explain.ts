import { isWarmvmError } from '@warmvm/core/driver';
import { REMEDIES } from './remedies.ts';

/** Longest chain of causes that is printed. */
const MOST_LINES = 6;

/** How an error is told. */
export interface ExplainOptions {
  /** Whether stacks are printed. @default false */
  readonly debug?: boolean;
}

/** An error, its causes and what to do, a line each. */
export function explain(error: unknown, { debug = false }: ExplainOptions = {}): string {
  const chain = chainOf(error);
  const lines = chain.map((at, index) => {
    const code = isWarmvmError(at) ? `${at.code}: ` : '';
    return `${index === 0 ? 'error' : '  caused by'}: ${code}${messageOf(at)}`;
  });
  const first = chain.find((at) => isWarmvmError(at));
  if (first !== undefined) lines.push(`  to do: ${REMEDIES[first.code]}`);
  if (debug) lines.push(...chain.map((at) => (at instanceof Error ? (at.stack ?? '') : '')).filter(Boolean));
  return lines.join('\n');
}

/** The error and its causes, without those that say nothing new. */
function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  let at = error;
  for (let depth = 0; at !== undefined && at !== null && depth < MOST_LINES; depth += 1) {
    const message = messageOf(at);
    if (!chain.some((before) => messageOf(before).includes(message))) chain.push(at);
    at = (at as { cause?: unknown }).cause;
  }
  return chain;
}

/** What an error says; anything else that was thrown, as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
