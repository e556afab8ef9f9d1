// Run by people, on a quiet computer: forty runs of the bench, and a verdict on time says nothing where others work beside it.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../bench/src/main.ts', import.meta.url));
const SUBJECT = fileURLToPath(new URL('./support/planted-subject.ts', import.meta.url));
const REPETITIONS = 10;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-planted-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One run of the bench in a process of its own, as somebody on a shell would call it. */
function bench(factor: number, ...more: string[]): Promise<{ readonly exitCode: number; readonly output: string }> {
  const words = ['--conditions=@warmvm/source', '--no-warnings', MAIN, 'reset', '--driver', SUBJECT, ...more];
  const env = { ...process.env, NO_COLOR: '1', WARMVM_PLANTED_FACTOR: String(factor) };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, words, { env, maxBuffer: 2 ** 24 }, (_error, out, complaints) =>
      resolve({ exitCode: child.exitCode ?? -1, output: `${out}\n${complaints}` }),
    );
  });
}

/** What the gate said of the comparison, and no more. */
function reasons(output: string): string {
  return (
    output
      .split('\n')
      .filter((line) => line.includes('is worse'))
      .join('; ') || 'nothing'
  );
}

describe('resets of real machines that take 20 % longer', () => {
  test('are called by --compare --gate, and the same code is not', { timeout: 3_600_000 }, async () => {
    const said: string[] = [];
    let called = 0;
    let falselyCalled = 0;
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      const base = join(folder, `base-${repetition}.json`);
      const recorded = await bench(1, '--json', base);
      expect(recorded.exitCode, recorded.output).toBe(0);
      // In turned order every second time, so that a computer that gets slower favours neither.
      const factors = repetition % 2 === 0 ? [1.2, 1] : [1, 1.2];
      for (const factor of factors) {
        const { exitCode, output } = await bench(factor, '--compare', base, '--gate');
        said.push(`${repetition}: ${factor}: exit code ${exitCode}, ${reasons(output)}`);
        if (factor === 1) falselyCalled += exitCode === 0 ? 0 : 1;
        else called += exitCode === 1 && output.includes('is worse') ? 1 : 0;
      }
    }
    process.stdout.write(`${said.join('\n')}\n`);
    expect({ called, falselyCalled }, said.join('\n')).toEqual({ called: REPETITIONS, falselyCalled: 0 });
  });
});
