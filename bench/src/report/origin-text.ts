import type { BenchResult } from '../result/bench-result.ts';

/** What was measured, to go after a sentence's first words; empty where nobody noted it. */
export function originText({ version, commit }: Pick<BenchResult, 'version' | 'commit'>): string {
  return `${version === null ? '' : `, with @warmvm/bench ${version}`}${commit === null ? '' : `, at commit ${commit}`}`;
}
