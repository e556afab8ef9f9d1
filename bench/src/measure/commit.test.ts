import { describe, expect, test } from 'vitest';
import { commitOf } from './commit.ts';

function gitThatSays(head: string | null, status = ''): Parameters<typeof commitOf>[1] {
  return {
    async run(command) {
      if (head === null) return { exitCode: 128, output: 'fatal: not a git repository' };
      return { exitCode: 0, output: command.includes('status') ? status : `${head}\n` };
    },
  };
}

describe('commitOf', () => {
  test('is the short name of a clean checkout', async () => {
    expect(await commitOf('/x', gitThatSays('abc123'))).toBe('abc123');
  });

  test('marks a checkout whose files were changed', async () => {
    expect(await commitOf('/x', gitThatSays('abc123', ' M a.ts\n'))).toBe('abc123+');
  });

  test('is null outside of a checkout', async () => {
    expect(await commitOf('/x', gitThatSays(null))).toBeNull();
  });
});
