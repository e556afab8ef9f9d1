import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { mutants } from './fixtures/mutants.ts';
import type { MutantOutcome } from './fixtures/run-mutants.ts';

/** Runs the laws on every mutant, in one process of its own with a project for each. */
async function plantAll(): Promise<ReadonlyMap<string, MutantOutcome>> {
  const script = fileURLToPath(new URL('./fixtures/run-mutants.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 290_000, maxBuffer: 2 ** 26 });
  const outcomes = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as readonly MutantOutcome[];
  return new Map(outcomes.map((outcome) => [outcome.id, outcome]));
}

describe('the laws', () => {
  test('see every planted mutant, each by the law that it breaks', async () => {
    const outcomes = await plantAll();
    const missed = mutants.filter(({ id, law }) => outcomes.get(id)?.caughtBy.includes(law) !== true);
    expect(missed.map(({ id, law }) => ({ id, law, ...outcomes.get(id) }))).toEqual([]);
    expect(outcomes.size).toBe(mutants.length);
  }, 300_000);

  test('see nothing where nothing is planted but a comment', async () => {
    const script = fileURLToPath(new URL('./fixtures/run-mutants.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, 'none'], { timeout: 60_000 });
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual([{ id: 'none', caughtBy: [], said: '' }]);
  }, 70_000);
});
