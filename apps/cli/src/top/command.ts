import { Command } from 'commander';
import type { Output } from '../output.ts';
import { type PoolTalkOptions, withPoolOption } from '../pool/command.ts';

/** Options of `warmvm top`. */
export interface TopOptions extends PoolTalkOptions {
  readonly once?: true;
}

/** `warmvm top`. */
export function topCommand(output: Output): Command {
  return withPoolOption(new Command('top').description('watch a kept pool: its slots, leases, times and events'))
    .option('--once', 'say it once')
    .option('--json', 'a line of JSON for every change; so it is too where there is no terminal')
    .action(async (options: TopOptions) => {
      const { runTop } = await import('./index.ts');
      process.exitCode = await runTop(options, output);
    });
}
