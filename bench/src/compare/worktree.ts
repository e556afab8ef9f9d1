import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, type CommandRunner, systemCommandRunner } from '@warmvm/local-host';

/** Another commit of a repository, checked out and installed in a folder of its own. Dispose removes it. */
export interface Worktree extends AsyncDisposable {
  readonly folder: string;
}

const INSTALL = ['pnpm', 'install', '--frozen-lockfile', '--prefer-offline'] as const;

/** @throws Error with what git or pnpm said; the signal's reason. Then nothing is left */
export async function checkOut(
  repository: string,
  ref: string,
  signal: AbortSignal,
  runner: Pick<CommandRunner, 'run'> = systemCommandRunner,
): Promise<Worktree> {
  const parent = await mkdtemp(join(tmpdir(), 'warmvm-bench-'));
  const folder = join(parent, 'base');
  const git = ['git', '-C', repository] as const;
  const remove = async (): Promise<void> => {
    await runner.run([...git, 'worktree', 'remove', '--force', folder]);
    await rm(parent, { recursive: true, force: true });
  };
  try {
    // With `^{commit}` a ref that begins like an option, or names a file, is none.
    const found = await runner.run([...git, 'rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`], {
      signal,
    });
    if (found.exitCode !== 0) throw new RangeError(`'${ref}' is no commit of ${repository}: ${found.output.trim()}`);
    const commit = found.output.trim();
    await require(runner, [...git, 'worktree', 'add', '--detach', folder, commit], signal);
    await require(runner, ['env', '-C', folder, ...INSTALL], signal);
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, [Symbol.asyncDispose]: remove };
}

async function require(runner: Pick<CommandRunner, 'run'>, command: Command, signal: AbortSignal): Promise<void> {
  const { exitCode, output } = await runner.run(command, { signal });
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${output.slice(-2000)}`);
}
