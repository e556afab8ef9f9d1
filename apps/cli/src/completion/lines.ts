import type { Completion } from './complete.ts';
import { FILES } from './scripts.ts';

/** What the scripts read: a line for each candidate, its description after a tab. */
export function completionLines(completion: Completion): string {
  if (completion.kind === 'files') return `${FILES}\n`;
  return completion.values
    .map(({ value, description }) => `${value}\t${description.replaceAll(/[\s\p{Cc}]+/gu, ' ')}\n`)
    .join('');
}
