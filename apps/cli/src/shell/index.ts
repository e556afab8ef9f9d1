import { ConfigError } from '../config/config-error.ts';
import { readSettings } from '../config/settings.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import type { MachineSource } from '../place/machine-source.ts';
import { openKept, ownFlags, untilClosed } from '../place/open-kept.ts';
import { openSource } from '../place/open-source.ts';
import { progressFor } from '../progress.ts';
import type { ShellOptions } from './command.ts';
import { shellInMachine, sizeOf } from './shell.ts';

/** Runs `warmvm shell`. Resolves with the exit code of the shell. */
export function runShell(options: ShellOptions, output: Output): Promise<number> {
  return runInterruptibly(output, (signal) => shell(options, output, signal), { trouble: EXIT.trouble });
}

async function shell(options: ShellOptions, output: Output, signal: AbortSignal): Promise<number> {
  const { stdin: input, stdout } = process;
  if (input.isTTY !== true || stdout.isTTY !== true) {
    throw new ConfigError('a shell needs a terminal on both sides; without one use: warmvm run');
  }
  if (options.cwd !== undefined && !options.cwd.startsWith('/')) {
    throw new ConfigError(`--cwd ${options.cwd}: expected an absolute path in the guest`);
  }
  const progress = progressFor(process.stderr);
  try {
    const warn = (text: string): void => {
      progress.stop();
      output.writeError(`warmvm: ${text}\n`);
    };
    let isOwn = false;
    const own = async (): Promise<MachineSource> => {
      isOwn = true;
      return openSource(await readSettings(ownFlags(options)), { signal, say: progress.say });
    };
    const kept = await openKept(options, signal, { say: () => {}, warn });
    const source = kept === undefined ? await own() : untilClosed(kept, own, warn);
    try {
      progress.say('making a machine');
      const machine = await source.lend({ signal });
      try {
        progress.stop();
        const [from, end] = isOwn
          ? ['', 'destroyed with its shell']
          : [` of ${source.description}`, 'cleaned when its shell ends'];
        output.writeError(`warmvm: machine ${machine.machineId}${from}; it is ${end}. Ctrl-] leaves it.\n`);
        const request = {
          program: options.shell,
          workingDirectory: options.cwd,
          terminal: process.env.TERM ?? 'vt100',
          size: sizeOf(stdout),
        };
        return await shellInMachine(machine, request, { input, output: stdout }, signal);
      } finally {
        await machine.giveBack();
      }
    } finally {
      progress.stop();
      await source[Symbol.asyncDispose]();
    }
  } finally {
    progress.stop();
  }
}
