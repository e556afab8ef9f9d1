import { Command, Option } from 'commander';
import { benchCommand } from './bench/command.ts';
import { completeCommand, completionCommand } from './completion/command.ts';
import { doctorCommand } from './doctor/command.ts';
import { imageCommand } from './images/command.ts';
import { type KitOptions, parseLanes, parsePair, parseTimeFactor } from './kit/options.ts';
import type { Output } from './output.ts';
import { packageVersion } from './package-version.ts';
import { poolCommand } from './pool/command.ts';
import { runCommand } from './run/command.ts';
import { shellCommand } from './shell/command.ts';
import { parseSamples, type StartOptions } from './start/options.ts';
import { sweepCommand } from './sweep/command.ts';
import { topCommand } from './top/command.ts';

/** The command line of warmvm. Parsing never ends the process: it throws a CommanderError instead. */
export function createProgram(outputs: Output): Command {
  let debug = false;
  const output: Output = {
    ...outputs,
    get debug() {
      return debug;
    },
  };
  const program = new Command('warmvm')
    .description('The pool of pre-warmed virtual machines.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .configureOutput({ writeOut: output.write, writeErr: output.writeError })
    .enablePositionalOptions()
    .exitOverride()
    .hook('preAction', (_program, command) => {
      debug = command.opts().debug === true;
    });
  for (const command of [
    runCommand,
    shellCommand,
    poolCommand,
    topCommand,
    imageCommand,
    doctorCommand,
    sweepCommand,
  ]) {
    program.addCommand(inherit(command(output), program));
  }
  program
    .command('start')
    .description('open a pool of real virtual machines, show and measure its life, and leave nothing behind')
    .addOption(
      new Option('--driver <name>', 'auto takes QEMU where it is possible, else the embedded fake')
        .choices(['auto', 'qemu', 'libvirt', 'libvirt-ssh', 'fake'])
        .default('auto'),
    )
    .option('--uri <uri>', 'the host of libvirt-ssh, such as qemu+ssh://user@host/system')
    .option('--json <file>', 'also write the report as JSON')
    .option('--samples <count>', 'cycles, and kills, to measure', parseSamples, 20)
    .action(async (options: StartOptions) => {
      const { runStart } = await import('./start/index.ts');
      process.exitCode = await runStart(options, output);
    });
  program
    .command('kit')
    .description('hold a driver against the driver contract, and write report.json')
    .requiredOption('--driver <name>', 'fake, libvirt, libvirt-ssh, qemu, or a file or package that exports kitSubject')
    .option('--only <ids...>', 'cases, clauses or groups, such as RESET or GUEST-2 (default: all)')
    .option('--option <name=value>', 'an option for the subject; may be repeated', parsePair, {})
    .option('--lanes <count>', 'subjects to run side by side', parseLanes, 1)
    .option('--time-factor <factor>', 'stretch every time limit, for a slow host', parseTimeFactor, 1)
    .option('--report <file>', 'where the report goes', 'report.json')
    .action(async ({ option, ...rest }: Omit<KitOptions, 'options'> & { readonly option: KitOptions['options'] }) => {
      const { runKitCommand } = await import('./kit/index.ts');
      process.exitCode = await runKitCommand({ ...rest, options: option }, output);
    });
  program.addCommand(inherit(benchCommand(output), program));
  program.addCommand(inherit(completionCommand(output), program));
  program.addCommand(inherit(completeCommand(output, program), program), { hidden: true });
  for (const [, command] of commandsOf(program)) {
    command.addOption(new Option('--debug', 'tell errors with their stacks'));
  }
  return program;
}

/** Every command that does something and is shown, with its full name. One that takes arguments does, also where it has others below it. */
export function commandsOf(parent: Command, name: string = parent.name()): readonly (readonly [string, Command])[] {
  const shown = parent.createHelp().visibleCommands(parent);
  const own = parent.commands.filter((command) => shown.includes(command));
  return own.flatMap((command): readonly (readonly [string, Command])[] => {
    const title = `${name} ${command.name()}`;
    const below = commandsOf(command, title);
    return below.length === 0 || command.registeredArguments.length > 0 ? [[title, command], ...below] : below;
  });
}

/** Lets a command and those below it behave as the program does. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inherit(below, command);
  return command;
}
