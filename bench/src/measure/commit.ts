import { type CommandRunner, systemCommandRunner } from '@warmvm/local-host';

/** The commit of a checkout, with `+` where files were changed since; null where there is no checkout or no git. */
export async function commitOf(
  folder: string,
  runner: Pick<CommandRunner, 'run'> = systemCommandRunner,
): Promise<string | null> {
  const head = await runner.run(['git', '-C', folder, 'rev-parse', '--short=12', 'HEAD']);
  if (head.exitCode !== 0) return null;
  const changes = await runner.run(['git', '-C', folder, 'status', '--porcelain']);
  return `${head.output.trim()}${changes.exitCode === 0 && changes.output.trim() === '' ? '' : '+'}`;
}
