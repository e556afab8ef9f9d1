// Run by people, on a quiet computer: twenty comparisons, and a verdict on time says nothing where others work beside it.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fromSource, MAIN } from './support/main-program.ts';

const REPETITIONS = 10;
const SAMPLES = '10';
const BASE = fileURLToPath(new URL('./support/planted/base.ts', import.meta.url));
const BUILDS = {
  slow: fileURLToPath(new URL('./support/planted/slow.ts', import.meta.url)),
  same: fileURLToPath(new URL('./support/planted/same.ts', import.meta.url)),
};

/** A build of a driver in turns with the base, as somebody on a shell would call it. */
function compare(build: keyof typeof BUILDS): Promise<{ readonly exitCode: number; readonly output: string }> {
  const [program, ...words] = fromSource(MAIN);
  const options = ['--driver', BUILDS[build], '--samples', SAMPLES, '--gate'];
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...words, 'bench', 'against', BASE, 'reset', ...options],
      { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 2 ** 24 },
      (_error, out, complaints) => resolve({ exitCode: child.exitCode ?? -1, output: `${out}\n${complaints}` }),
    );
  });
}

describe('resets of real machines that take 20 % longer', () => {
  test('are called by against --gate, and the same code is not', { timeout: 7_200_000 }, async () => {
    const called = { slow: 0, same: 0 };
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      for (const current of ['slow', 'same'] as const) {
        const { exitCode, output } = await compare(current);
        expect([0, 1], output).toContain(exitCode);
        expect(exitCode === 1, output).toBe(output.includes('is worse'));
        called[current] += exitCode;
        const figures = output.split('\n').filter((line) => line.includes('to ready'));
        process.stdout.write(`${repetition} ${current}: exit code ${exitCode}; ${figures.join('; ')}\n`);
      }
    }
    expect(called).toEqual({ slow: REPETITIONS, same: 0 });
  });
});
