import { Argument, Command } from 'commander';
import type { Output } from '../output.ts';
import { SCRIPTS, SHELLS, type Shell } from './scripts.ts';

/** `warmvm completion`. */
export function completionCommand(output: Output): Command {
  return new Command('completion')
    .description('print what makes a shell complete the words of warmvm')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell) => output.write(SCRIPTS[shell]));
}

/** What the shells ask; `program` is the one that they ask about. */
export function completeCommand(output: Output, program: Command): Command {
  return new Command('complete').argument('[words...]').action(async (words: readonly string[]) => {
    const [{ complete }, { completionLines }, { ownNames }] = await Promise.all([
      import('./complete.ts'),
      import('./lines.ts'),
      import('./names.ts'),
    ]);
    output.write(completionLines(await complete(program, words, ownNames)));
  });
}
