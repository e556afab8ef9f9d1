import { Command } from 'commander';
import type { SettingsFlags } from '../config/settings.ts';
import type { Output } from '../output.ts';
import { withSettingsOptions } from '../settings-options.ts';

/** Options of `warmvm sweep`. */
export interface SweepOptions extends SettingsFlags {
  readonly dryRun?: true;
  readonly json?: true;
}

/** `warmvm sweep`. */
export function sweepCommand(output: Output): Command {
  return withSettingsOptions(
    new Command('sweep')
      .description(
        'remove what dead processes left on the hosts, of every pool or of that of --pool; what belongs to a living process stays',
      )
      .option('-n, --dry-run', 'say what would be removed, and remove nothing')
      .option('--json', 'every object and its fate as JSON'),
  ).action(async (options: SweepOptions) => {
    const { runSweep } = await import('./index.ts');
    process.exitCode = await runSweep(options, output);
  });
}
