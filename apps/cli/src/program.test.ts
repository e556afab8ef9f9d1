import { describe, expect, test } from 'vitest';
import { packageVersion } from './package-version.ts';
import { createProgram } from './program.ts';

async function run(...args: string[]) {
  const parts: string[] = [];
  const write = (text: string): void => void parts.push(text);
  const output = { write, writeError: write };
  const error: unknown = await createProgram(output)
    .parseAsync(args, { from: 'user' })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  return { written: parts.join(''), error };
}

describe('the command line', () => {
  test('tells its version', async () => {
    expect((await run('--version')).written.trim()).toBe(packageVersion());
  });

  test('refuses what it does not know, with a non-zero exit code', async () => {
    expect((await run('dance')).error).toMatchObject({ exitCode: 1 });
  });
});
