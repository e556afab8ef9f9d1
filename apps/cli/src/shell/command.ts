import { Command } from 'commander';
import type { Output } from '../output.ts';
import type { KeptPoolFlags } from '../place/open-kept.ts';
import { withKeptPoolOptions } from '../settings-options.ts';

/** Options of `warmvm shell`. */
export interface ShellOptions extends KeptPoolFlags {
  readonly cwd?: string;
  readonly shell: string;
}

/** `warmvm shell`. */
export function shellCommand(output: Output): Command {
  return withKeptPoolOptions(
    new Command('shell')
      .description('a shell in a fresh machine, on this terminal; Ctrl-] leaves it')
      .option('-w, --cwd <folder>', 'folder in the guest to start in (an absolute path)')
      .option('--shell <program>', 'program to start', '/bin/sh'),
  ).action(async (options: ShellOptions) => {
    const { runShell } = await import('./index.ts');
    process.exitCode = await runShell(options, output);
  });
}
