import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from '@warmvm/local-host';
import { describe, expect, test } from 'vitest';
import { checkOut } from './worktree.ts';

const { signal } = new AbortController();

/** Answers as git and pnpm would; `failing` ends with 1. */
function shell(failing?: string) {
  const commands: Command[] = [];
  return {
    commands,
    async run(command: Command) {
      commands.push(command);
      const isFailing = failing !== undefined && command.includes(failing);
      return { exitCode: isFailing ? 1 : 0, output: isFailing ? `${failing} said no` : 'c0ffee\n' };
    },
  };
}

function words({ commands }: ReturnType<typeof shell>): readonly string[] {
  return commands.map((command) => command.filter((word) => /^(rev-parse|add|install|remove)$/.test(word)).join());
}

describe('checkOut', () => {
  test('checks out the commit, installs it, and removes it in the end', async () => {
    const runner = shell();
    const worktree = await checkOut('/repository', 'main', signal, runner);
    expect(words(runner)).toEqual(['rev-parse', 'add', 'install']);
    expect(runner.commands[1]).toContain('c0ffee');
    await worktree[Symbol.asyncDispose]();
    expect(words(runner).at(-1)).toBe('remove');
    await expect(access(dirname(worktree.folder))).rejects.toThrow();
  });

  test('says what is no commit', async () => {
    const runner = shell('rev-parse');
    await expect(checkOut('/repository', '--nothing', signal, runner)).rejects.toThrow(
      "'--nothing' is no commit of /repository: rev-parse said no",
    );
    expect(runner.commands[0]).toContain('--end-of-options');
  });

  test('leaves nothing when the install fails, and says why', async () => {
    const runner = shell('install');
    await expect(checkOut('/repository', 'main', signal, runner)).rejects.toThrow('install said no');
    expect(words(runner).at(-1)).toBe('remove');
  });
});
