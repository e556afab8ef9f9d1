import { isWarmvmError } from '@warmvm/core';
import { type CommandRunner, ensurePackages, lastLines } from '@warmvm/local-host';
import type { Finding, Fix } from './finding.ts';

/** Who mends, and what he may do. */
export interface Mending {
  readonly runner: CommandRunner;
  readonly isRoot: boolean;
  /** Whether the command may be run. */
  readonly agrees: (line: string) => Promise<boolean>;
  /** Told what is done and what is not, in lines for people. */
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Applies what can be applied, each after it was said. Resolves with whether anything was tried. @throws the signal's reason */
export async function mend(findings: readonly Finding[], mending: Mending): Promise<boolean> {
  const wrong = findings.filter(({ level }) => level !== 'ok');
  let fixed = 0;
  let failed = 0;
  for (const { id, fix } of wrong) {
    if (fix?.command === undefined) {
      mending.tell(
        `not fixed: ${id}: ${fix === undefined ? 'nothing is known that helps' : `only a person can: ${fix.text}`}\n`,
      );
      continue;
    }
    const line = fix.command.join(' ');
    if (fix.needsRoot === true && !mending.isRoot) {
      mending.tell(`not fixed: ${id}: only root may: sudo ${line}\n`);
      continue;
    }
    if (!(await mending.agrees(line))) continue;
    const failure = await (fix.packages === undefined ? run(fix.command, mending) : install(fix.packages, mending));
    if (failure === undefined) fixed += 1;
    else {
      failed += 1;
      mending.tell(`that did not work: ${failure}\n`);
    }
  }
  const left = wrong.length - fixed;
  if (wrong.length === 0) mending.tell('--fix: there is nothing to fix\n');
  else
    mending.tell(
      `--fix: ran ${fixed + failed} of ${wrong.length} fixes${failed === 0 ? '' : `, ${failed} failed`}; ${left} left to you\n`,
    );
  return fixed + failed > 0;
}

/** @returns why it did not work; undefined when it did */
async function run(command: NonNullable<Fix['command']>, mending: Mending): Promise<string | undefined> {
  const { runner, tell, signal } = mending;
  tell(`running: ${command.join(' ')}\n`);
  const { exitCode, output } = await runner.run(command, { signal });
  return exitCode === 0 ? undefined : `it ended with ${exitCode}:\n${lastLines(output)}`;
}

async function install(packages: readonly string[], mending: Mending): Promise<string | undefined> {
  const { runner, tell, signal } = mending;
  const onProgress = (text: string): void => tell(`${text}\n`);
  try {
    const plan = await ensurePackages({ runner, packages, onProgress, signal });
    return plan.kind === 'impossible' ? plan.reason : undefined;
  } catch (error) {
    if (!isWarmvmError(error, 'WARMVM_HOST_OPERATION')) throw error;
    return error.message;
  }
}
