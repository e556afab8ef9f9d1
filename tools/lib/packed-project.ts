// An empty project outside this repository with every package in it, from tarballs, as npm installs them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OLDEST_NODE } from '../pack-smoke.ts';
import { install, pack } from './foreign-project.ts';
import { run } from './run.ts';
import { nodeOfVersion } from './toolchain.ts';

/** Builds and packs every package and installs them in `project`. @returns the words that start `warmvm` there */
export async function packedProject(
  project: string,
  isOldest: boolean,
  signal: AbortSignal,
): Promise<readonly [node: string, main: string]> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-tarballs-'));
  try {
    const built = await run('node_modules/.bin/turbo', ['run', 'build', '--output-logs=errors-only'], { signal });
    if (built.exitCode !== 0) throw new Error(built.output);
    await install(project, await pack(folder, signal), signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const node = isOldest ? await nodeOfVersion(OLDEST_NODE, signal) : process.execPath;
  return [node, join(project, 'node_modules/warmvm/dist/main.js')];
}
