import { Command } from 'commander';
import type { SettingsFlags } from '../config/settings.ts';
import { parseCount, parseDurationMs, parseWhole } from '../option-values.ts';
import type { Output } from '../output.ts';
import { withSettingsOptions } from '../settings-options.ts';

/** Options of `warmvm pool start`. */
export interface PoolStartOptions extends Omit<SettingsFlags, 'pool'> {
  readonly name?: string;
  readonly grace: number;
  readonly untilStdinEnds?: true;
  readonly json?: true;
}

/** Options of the commands that talk to a pool. */
export interface PoolTalkOptions {
  readonly pool?: string;
  readonly json?: true;
}

/** Options of `warmvm pool drain`. */
export interface PoolDrainOptions extends PoolTalkOptions {
  readonly grace?: number;
}

const GRACE_MS = 30_000;

/** `warmvm pool`. */
export function poolCommand(output: Output): Command {
  const pool = new Command('pool').description('keep a pool that other processes of this user lease machines from');
  pool.addCommand(
    withSettingsOptions(
      new Command('start')
        .description('keep a pool in this process, until it is drained or interrupted')
        .option(
          '--name <name>',
          'name of the pool, if several are kept (default: that of the configuration, or "default")',
        )
        .option('--min-ready <count>', 'spare ready machines to hold', parseWhole(0))
        .option('--max <count>', 'machines at most', parseCount)
        .option(
          '--grace <time>',
          'how long leases may last after Ctrl-C, such as 90, 1.5s or 10m',
          parseDurationMs,
          GRACE_MS,
        )
        .option(
          '--until-stdin-ends',
          'drain also when standard input ends, as it does when the process that started this one has died',
        )
        .option('--json', 'a line of JSON when the pool is ready, and one when it has ended'),
      { withPool: false },
    ).action(async (options: PoolStartOptions) => {
      const { runPoolStart } = await import('./start.ts');
      process.exitCode = await runPoolStart(options, output);
    }),
  );
  pool.addCommand(
    withPoolOption(new Command('status').description('say what a kept pool has and does'))
      .option('--json', 'everything that is known as JSON')
      .action(async (options: PoolTalkOptions) => {
        const { runPoolStatus } = await import('./status.ts');
        process.exitCode = await runPoolStatus(options, output);
      }),
  );
  pool.addCommand(
    withPoolOption(new Command('drain').description('lend nothing more, wait for what is lent, and end the pool'))
      .option('--grace <time>', 'take back what is still lent after this long (default: never)', parseDurationMs)
      .option('--json', 'what became of the pool as JSON')
      .action(async (options: PoolDrainOptions) => {
        const { runPoolDrain } = await import('./drain.ts');
        process.exitCode = await runPoolDrain(options, output);
      }),
  );
  return pool;
}

/** The option by which a kept pool is named. */
export function withPoolOption(command: Command): Command {
  return command.option('--pool <name>', 'name of the pool (default: that of the configuration, or "default")');
}
