import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { HOSTS } from './host/open-host.ts';
import type { Outputs } from './report/outputs.ts';
import type { Suite } from './suite.ts';
import { SUITES, suitesNamed } from './suites.ts';

interface Common extends Outputs {
  readonly suites: readonly Suite[];
  /** Whether suites were named, rather than all meant. */
  readonly named: boolean;
  readonly drivers: readonly string[];
  readonly samples?: number;
  readonly gate: boolean;
  readonly targets?: string;
}

/** What was asked for on the command line. */
export type Request =
  | { readonly kind: 'list' }
  | (Common & {
      readonly kind: 'run';
      readonly compare?: string;
      readonly acrossHosts: boolean;
      readonly inProcess: boolean;
    })
  | (Common & { readonly kind: 'compare-ref'; readonly ref: string; readonly blocks: number });

const DEFAULT_DRIVERS = ['fake', 'libvirt'];
const DEFAULT_BLOCKS = 4;

/** Reads the arguments after the script's name. @throws CommanderError for bad ones, and when help was asked for */
export function parseRequest(args: readonly string[], write: (text: string) => void): Request {
  let request: Request | undefined;
  const program = command('bench', write)
    .enablePositionalOptions()
    .description('Measures warmvm: every raw sample, beside what is stated and what must be reached.')
    .option('--list', 'only tell which suites and drivers there are')
    .option('--compare <file>', 'compare with the result in this file')
    .option('--across-hosts', 'compare although the hosts differ')
    // For the processes that a suite is spread over.
    .addOption(new Option('--in-process').hideHelp())
    .addArgument(suiteArgument())
    .action((names: readonly string[], options) => {
      const { list, compare, acrossHosts, inProcess, ...rest } = options;
      request =
        list === true
          ? { kind: 'list' }
          : {
              kind: 'run',
              ...common(program, names, rest),
              ...(compare === undefined ? {} : { compare }),
              acrossHosts: acrossHosts === true,
              inProcess: inProcess === true,
            };
    });
  const compare = command('compare', write)
    .description('Runs another commit and this checkout in turns, on this computer now, and compares.')
    .argument('<git-ref>', 'commit, branch or tag to compare with')
    .addArgument(suiteArgument())
    .option('--blocks <count>', 'processes of each side, taking turns', parseCount, DEFAULT_BLOCKS)
    .action((ref: string, names: readonly string[], { blocks, ...rest }) => {
      request = { kind: 'compare-ref', ...common(compare, names, rest), ref, blocks };
    });
  program.addCommand(compare);
  program.parse(args, { from: 'user' });
  return request!;
}

function command(name: string, write: (text: string) => void): Command {
  return new Command(name)
    .option('--driver <name>', `of ${Object.keys(HOSTS).join(', ')}, or a package or path; may be given again`, collect)
    .option('--samples <count>', "samples of each figure, instead of each suite's own number", parseCount)
    .option('--json <file>', 'write every sample as JSON')
    .option('--html <file>', 'write a page to look at')
    .option('--markdown <file>', 'write a summary as Markdown')
    .option('--gate', 'exit with 1 when a floor is missed or a figure got worse', false)
    .option('--targets <file>', 'what figures are held against, instead of bench/targets.json')
    .configureOutput({ writeOut: write, writeErr: write })
    .exitOverride();
}

function suiteArgument(): Argument {
  return new Argument('[suite...]', `of ${SUITES.map((suite) => suite.name).join(', ')}`).default([], 'all');
}

type CommonOptions = Omit<Common, 'suites' | 'named' | 'drivers'> & { readonly driver?: readonly string[] };

function common(program: Command, names: readonly string[], { driver, ...rest }: CommonOptions): Common {
  try {
    return { suites: suitesNamed(names), named: names.length > 0, drivers: driver ?? DEFAULT_DRIVERS, ...rest };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return program.error(`error: ${error.message}`);
  }
}

function collect(name: string, names: readonly string[] = []): readonly string[] {
  if (name === '') throw new InvalidArgumentError('expected the name of a driver.');
  return [...names, name];
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new InvalidArgumentError('expected a whole number from 1 to 1000000.');
}
