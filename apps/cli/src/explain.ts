import { isWarmvmError } from '@warmvm/core';

/** Longest chain of causes that is printed. */
const MOST_LINES = 6;

/** An error and its causes, a line each. */
export function explain(error: unknown): string {
  const lines: string[] = [];
  for (
    let at: unknown = error;
    at !== undefined && at !== null && lines.length < MOST_LINES;
    at = (at as { cause?: unknown }).cause
  ) {
    const code = isWarmvmError(at) ? `${at.code}: ` : '';
    lines.push(
      `${lines.length === 0 ? 'error' : '  caused by'}: ${code}${at instanceof Error ? at.message : String(at)}`,
    );
  }
  return lines.join('\n');
}
