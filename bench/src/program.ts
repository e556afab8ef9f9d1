import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Outputs } from './report/outputs.ts';
import type { Suite } from './suite.ts';
import { chooseSuites, SUITES } from './suites.ts';

/** What was asked for on the command line. */
export interface Request extends Outputs {
  readonly suites: readonly Suite[];
  readonly samples?: number;
}

interface Options extends Outputs {
  readonly driver?: Suite['driver'];
  readonly samples?: number;
}

/** Reads the arguments after the script's name. @throws CommanderError for bad ones, and when help was asked for */
export function parseRequest(args: readonly string[], write: (text: string) => void): Request {
  const names = new Argument('[suite...]', `of ${SUITES.map((suite) => suite.name).join(', ')}`).default([], 'all');
  const program = new Command('bench')
    .description('Measures warmvm: every raw sample, beside what is stated and what must be reached.')
    .addArgument(names)
    .addOption(new Option('--driver <name>', 'only suites of this driver').choices(['fake', 'libvirt']))
    .option('--samples <count>', "samples of each figure, instead of each suite's own number", parseCount)
    .option('--json <file>', 'also write every sample as JSON')
    .option('--html <file>', 'also write one page with every sample, to be looked at in a browser')
    .option('--markdown <file>', 'also write a summary for the page of a CI job')
    .configureOutput({ writeOut: write, writeErr: write })
    .exitOverride()
    .parse(args, { from: 'user' });
  const { driver, ...rest } = program.opts<Options>();
  try {
    return { suites: chooseSuites(program.processedArgs[0] as string[], driver), ...rest };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return program.error(`error: ${error.message}`);
  }
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new InvalidArgumentError('expected a whole number from 1 to 1000000.');
}
