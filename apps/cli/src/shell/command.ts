import { Command } from 'commander';
import type { SettingsFlags } from '../config/settings.ts';
import type { Output } from '../output.ts';
import { withSettingsOptions } from '../settings-options.ts';

/** Options of `warmvm shell`. */
export interface ShellOptions extends SettingsFlags {
  readonly cwd?: string;
  readonly shell: string;
}

/** `warmvm shell`. */
export function shellCommand(output: Output): Command {
  return withSettingsOptions(
    new Command('shell')
      .description('a shell in a fresh machine, on this terminal; Ctrl-] leaves it')
      .option('-w, --cwd <folder>', 'folder in the guest to start in (an absolute path)')
      .option('--shell <program>', 'program to start', '/bin/sh'),
  ).action(async (options: ShellOptions) => {
    const { runShell } = await import('./index.ts');
    process.exitCode = await runShell(options, output);
  });
}
