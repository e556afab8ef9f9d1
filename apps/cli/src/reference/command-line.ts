import type { Command } from 'commander';
import type { Shell } from '../completion/scripts.ts';
import { ENVIRONMENT_VARIABLES } from '../config/environment.ts';
import { EXIT, EXIT_MEANINGS } from '../exit-codes.ts';
import { commandsOf, createProgram } from '../program.ts';

/** How each shell is told: for a session, and for all. */
const COMPLETION_PLACES: Readonly<Record<Shell, { readonly now: string; readonly place: string }>> = {
  bash: { now: 'eval "$(warmvm completion bash)"', place: '~/.local/share/bash-completion/completions/warmvm' },
  zsh: { now: 'eval "$(warmvm completion zsh)"', place: '~/.zfunc/_warmvm' },
  fish: { now: 'warmvm completion fish | source', place: '~/.config/fish/completions/warmvm.fish' },
};

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
    '## Completion',
    '',
    'Commands, options, choices, files, and the names of images, pools and drivers, in bash, zsh and fish. `warmvm` has to be on the PATH (`npm install --global warmvm`); then:',
    '',
    '| shell | this session | for good |',
    '| --- | --- | --- |',
    ...Object.entries(COMPLETION_PLACES).map(
      ([shell, { now, place }]) => `| ${shell} | \`${now}\` | \`warmvm completion ${shell} > ${place}\` |`,
    ),
    '',
    'For zsh that folder has to be in `fpath` before `compinit` runs: `fpath=(~/.zfunc $fpath)` in `~/.zshrc`; bash reads its folder where the package bash-completion is',
    'installed, and without it the line for a session does in `~/.bashrc`. The scripts ask the program itself, so that they need no renewal when it is updated. What was typed is',
    'handed over as words, and never evaluated.',
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
    ...commandsOf(program).flatMap(([title, command]) => [`## ${title}`, '', '```text', help(command), '```', '']),
  ].join('\n');
}

function help(command: Command): string {
  command.configureHelp({ helpWidth: WIDTH });
  return command.helpInformation().trimEnd();
}
