import { DRIVER_NAMES, SUITE_NAMES } from '@warmvm/bench/names';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { collect } from '../option-values.ts';
import type { Output } from '../output.ts';

const DEFAULT_BLOCKS = 4;
const MOST = 1_000_000;
const DRIVERS = `${DRIVER_NAMES.join(', ')}, or a package or file that exports kitSubject`;

/** What both ways of running suites are told. */
export interface BenchOptions {
  readonly driver?: readonly string[];
  readonly samples?: number;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly gate?: true;
  readonly targets?: string;
}

/** Options of `warmvm bench`. */
export interface BenchRunOptions extends BenchOptions {
  readonly list?: true;
  readonly compare?: string;
  readonly acrossHosts?: true;
  readonly inProcess?: true;
}

/** Options of `warmvm bench compare`. */
export interface BenchCompareOptions extends BenchOptions {
  readonly blocks: number;
}

/** Options of `warmvm bench against`. */
export interface BenchAgainstOptions extends Omit<BenchOptions, 'driver'> {
  readonly driver: string;
  readonly blocks: number;
}

/** What does the work; loaded when it is used, and replaced in tests. */
type Work = Pick<typeof import('./index.ts'), 'runBenchCommand' | 'runBenchCompareCommand' | 'runBenchAgainstCommand'>;

/** `warmvm bench`. */
export function benchCommand(output: Output, load: () => Promise<Work> = () => import('./index.ts')): Command {
  const bench = withBenchOptions(withDrivers(new Command('bench')))
    .enablePositionalOptions()
    .description('measure warmvm, or a driver of yours: every sample, beside what is stated and what must be reached')
    .option('--list', 'only tell which suites and drivers there are')
    .option('--compare <file>', 'compare with the result in this file')
    .option('--across-hosts', 'compare although the hosts differ')
    // Suites of microseconds are spread over processes otherwise.
    .addOption(new Option('--in-process').hideHelp())
    .addArgument(suiteArgument())
    .action(async (suites: readonly string[], options: BenchRunOptions) => {
      const { runBenchCommand } = await load();
      process.exitCode = await runBenchCommand(suites, options, output);
    });
  const compare = withBenchOptions(withDrivers(new Command('compare')))
    .description('run another commit and this checkout of warmvm in turns, on this computer now, and compare')
    .argument('<git-ref>', 'commit, branch or tag to compare with')
    .addArgument(suiteArgument())
    .addOption(blocksOption())
    .action(async (ref: string, suites: readonly string[], options: BenchCompareOptions) => {
      const { runBenchCompareCommand } = await load();
      process.exitCode = await runBenchCompareCommand(ref, suites, options, output);
    });
  const against = withBenchOptions(new Command('against').requiredOption('--driver <driver>', DRIVERS, requireDriver))
    .description(
      'run another driver, or another build of it, in turns with --driver, on this computer now, and compare',
    )
    .argument('<driver>', 'what --driver is compared with; said as there')
    .addArgument(suiteArgument())
    .addOption(blocksOption())
    .action(async (driver: string, suites: readonly string[], options: BenchAgainstOptions) => {
      const { runBenchAgainstCommand } = await load();
      process.exitCode = await runBenchAgainstCommand(driver, suites, options, output);
    });
  return bench.addCommand(compare).addCommand(against);
}

function blocksOption(): Option {
  return new Option('--blocks <count>', 'processes of each side, taking turns')
    .argParser(parseCount)
    .default(DEFAULT_BLOCKS);
}

function withDrivers(command: Command): Command {
  return command.option(
    '--driver <name>',
    `${DRIVERS}; may be repeated (default: fake, and the hypervisor that is here)`,
    (name: string, names?: readonly string[]) => collect(requireDriver(name), names),
  );
}

function withBenchOptions(command: Command): Command {
  return command
    .option('--samples <count>', "samples of each figure, instead of each suite's own number", parseCount)
    .option('--json <file>', 'write every sample as JSON')
    .option('--html <file>', 'write a page to look at')
    .option('--markdown <file>', 'write a summary as Markdown')
    .option('--gate', 'exit with 1 when a floor is missed or a figure got worse')
    .option('--targets <file>', 'what figures are held against, instead of the targets of warmvm');
}

function suiteArgument(): Argument {
  return new Argument('[suite...]', `of ${SUITE_NAMES.join(', ')}`).default([], 'all').argParser(collectSuite);
}

function collectSuite(name: string, names: readonly string[] = []): readonly string[] {
  if (!SUITE_NAMES.includes(name)) throw new InvalidArgumentError(`expected one of ${SUITE_NAMES.join(', ')}.`);
  return [...names, name];
}

function requireDriver(name: string): string {
  if (name === '') throw new InvalidArgumentError('expected the name of a driver.');
  return name;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return count;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${MOST}.`);
}
