import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, type CommandRunner, systemCommandRunner } from '@warmvm/local-host';
import { checkoutFolder } from '../package-files.ts';

/** How the command line is started: a program and the words before its own. */
export type Cli = Command;

const SAID_CHARACTERS = 2000;

/**
 * The command line as users have it: built, since from its sources it starts slower. In a checkout it is built now, which takes no time when it is;
 * elsewhere it is the one that the bench was started by.
 * @throws Error with what the build said, or where there is none; the signal's reason
 */
export async function builtCli(
  signal: AbortSignal,
  say: (text: string) => void,
  runner: Pick<CommandRunner, 'run'> = systemCommandRunner,
): Promise<Cli> {
  const checkout = checkoutFolder();
  if (checkout === undefined) return [process.execPath, installedProgram(process.argv[1])];
  say('building the command line');
  const turbo = join(checkout, 'node_modules/.bin/turbo');
  await succeed(runner, [turbo, 'run', 'build', '--filter=warmvm', `--cwd=${checkout}`], { signal });
  return [process.execPath, programOf(join(checkout, 'apps/cli'))];
}

function installedProgram(startedBy: string | undefined): string {
  const program = startedBy === undefined ? undefined : realpathSync(startedBy);
  const folder = program === undefined ? undefined : join(program, '../..');
  if (folder !== undefined && existsSync(join(folder, 'package.json')) && manifestOf(folder).name === 'warmvm')
    return programOf(folder);
  throw new Error('run measures the command line `warmvm`: start it as `warmvm bench run`');
}

interface CliManifest {
  readonly name: string;
  readonly bin: { readonly warmvm: string };
}

function manifestOf(folder: string): CliManifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as CliManifest;
}

function programOf(folder: string): string {
  return join(folder, manifestOf(folder).bin.warmvm);
}

/** Runs a command. Resolves with what it printed. @throws Error with that when it fails; the signal's reason */
export async function succeed(
  runner: Pick<CommandRunner, 'run'>,
  command: Command,
  options: { readonly signal: AbortSignal; readonly environment?: Readonly<Record<string, string>> },
): Promise<string> {
  const { exitCode, output } = await runner.run(command, options);
  if (exitCode === 0) return output;
  throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${output.slice(-SAID_CHARACTERS)}`);
}
