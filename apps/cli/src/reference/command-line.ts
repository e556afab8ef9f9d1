import type { Command } from 'commander';
import { ENVIRONMENT_VARIABLES } from '../config/environment.ts';
import { EXIT, EXIT_MEANINGS } from '../exit-codes.ts';
import { createProgram } from '../program.ts';

/** Width of a page; help texts wrap at it. */
const WIDTH = 100;

/** `docs/cli.md`: everything that the program says of itself. */
export function commandLineReference(): string {
  const program = createProgram({ write: () => {}, writeError: () => {} });
  const names = Object.keys(EXIT) as (keyof typeof EXIT)[];
  return [
    '# Command line',
    '',
    'Written by `node --conditions=@warmvm/source tools/cli-reference.ts` from the program itself: change the program, not this page.',
    '',
    'Settings come from the command line, else from the environment, else from the [configuration](configuration.md). Standard output holds what',
    'was asked for and nothing else; progress and complaints go to standard error. Spinners appear on a terminal only.',
    '',
    '## Exit codes',
    '',
    'Besides these, `run` and `shell` end with the exit code of the command, or 128 and the number of the signal that ended it.',
    '',
    '| code | meaning |',
    '| --- | --- |',
    ...names.map((name) => `| ${EXIT[name]} | ${EXIT_MEANINGS[name]} |`),
    '',
    '## Environment variables',
    '',
    '| variable | meaning |',
    '| --- | --- |',
    ...Object.entries(ENVIRONMENT_VARIABLES).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    '',
    ...leaves(program).flatMap(([title, command]) => [`## ${title}`, '', '```text', help(command), '```', '']),
  ].join('\n');
}

/** Every command that does something, with its full name. */
function leaves(program: Command, prefix = 'warmvm'): readonly (readonly [string, Command])[] {
  return program.commands.flatMap((command): readonly (readonly [string, Command])[] => {
    const title = `${prefix} ${command.name()}`;
    return command.commands.length === 0 ? [[title, command]] : leaves(command, title);
  });
}

function help(command: Command): string {
  command.configureHelp({ helpWidth: WIDTH });
  return command.helpInformation().trimEnd();
}
