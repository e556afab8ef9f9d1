import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { platformPackages } from '../bootstrap/plan.mjs';
import { root } from './repository.ts';
import { run } from './run.ts';

/**
 * Path of a Node of exactly this version, fetched into the toolchain folder when it is not there yet.
 * @throws Error when the registry does not have it for this platform
 */
export async function nodeOfVersion(version: string, signal: AbortSignal): Promise<string> {
  const packages = platformPackages({ platform: process.platform, architecture: process.arch, musl: false });
  if (packages.node === null) throw new Error(`no Node ${version} for ${packages.name} in the registry`);
  const home = join(root, '.toolchain', `${packages.node}-${version}`);
  const path = join(home, 'node_modules', packages.node, 'bin/node');
  if (existsSync(path)) return path;
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), '{ "private": true }\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--no-package-lock', '--prefer-offline'];
  const args = ['install', '--prefix', home, ...flags, '--loglevel=error', `${packages.node}@${version}`];
  const { exitCode, output } = await run('npm', args, { cwd: dirname(home), signal });
  if (exitCode !== 0 || !existsSync(path)) throw new Error(`could not fetch Node ${version}:\n${output}`);
  return path;
}
