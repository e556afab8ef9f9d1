import { Command } from 'commander';
import { collect, parseDurationMs, parseVariable } from '../option-values.ts';
import type { Output } from '../output.ts';
import type { KeptPoolFlags } from '../place/open-kept.ts';
import { withKeptPoolOptions } from '../settings-options.ts';

/** Options of `warmvm run`. */
export interface RunOptions extends KeptPoolFlags {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeout?: number;
  readonly copyIn?: readonly string[];
  readonly copyOut?: readonly string[];
  readonly interactive?: true;
  readonly keep?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** `warmvm run`. */
export function runCommand(output: Output): Command {
  return withKeptPoolOptions(
    new Command('run')
      .description('run a command in a fresh machine; its exit code becomes ours')
      .usage('[options] [--] <command> [arguments...]')
      .argument('<command...>', 'program and arguments; options of ours come before it')
      .option('-e, --env <name=value>', 'variable for the command; NAME alone takes it from here', parseVariable)
      .option('-w, --cwd <folder>', 'folder in the guest to start in (an absolute path)')
      .option('-t, --timeout <time>', 'kill the command after this long, such as 90, 1.5s or 10m', parseDurationMs)
      .option('--copy-in <from:to>', 'copy a file into the guest first; may be repeated', collect)
      .option('--copy-out <from:to>', 'copy a file out of the guest afterwards; may be repeated', collect)
      .option('-i, --interactive', 'send what is typed at this terminal to the command')
      .option('--keep', 'keep the machine after the command, until Enter or Ctrl-C')
      .option('--json', 'one line of JSON about the run on standard output; the command writes to standard error')
      .option('-q, --quiet', 'say nothing of our own but errors')
      .option('--verbose', 'say where the machine comes from and how soon; without a terminal, also each step')
      .passThroughOptions(),
  ).action(async (words: readonly string[], options: RunOptions) => {
    const { runRun } = await import('./index.ts');
    process.exitCode = await runRun(words, options, output);
  });
}
