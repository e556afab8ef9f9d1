import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { runChild } from './child.mjs';
import { BootstrapError, fetchFailure, mustInstall, writeFailure } from './plan.mjs';

/**
 * Everything that decides what an install puts down, as paths relative to the root.
 * @param {string} root
 */
export async function manifestFiles(root) {
  const files = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    '.npmrc',
    'bench/package.json',
    'test-e2e/package.json',
  ];
  for (const group of ['packages', 'apps']) {
    const names = await readdir(join(root, group)).catch(() => /** @type {string[]} */ ([]));
    files.push(...names.sort().map((name) => `${group}/${name}/package.json`));
  }
  return files.filter((file) => existsSync(join(root, file)));
}

/**
 * @param {string} root
 * @param {string} pnpm path of the pnpm in use: another may lay out node_modules differently
 */
export async function installDigest(root, pnpm) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${root} ${pnpm}\n`);
  for (const file of await manifestFiles(root)) {
    hash.update(`${file}\n`).update(await readFile(join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * Installs from the lockfile, unless nothing that matters has changed since the last time.
 * @param {{ root: string, pnpm: string, env: Record<string, string>, say: (text: string) => void }} options
 */
export async function installPackages({ root, pnpm, env, say }) {
  const modules = join(root, 'node_modules');
  const stampPath = join(modules, '.warmvm-install');
  const wanted = await installDigest(root, pnpm);
  const stamp = await readFile(stampPath, 'utf8').catch(() => null);
  if (!mustInstall({ stamp, wanted, modulesPresent: existsSync(join(modules, '.modules.yaml')) })) return;
  say('installing packages from the lockfile');
  try {
    await mkdir(modules, { recursive: true });
    await writeFile(stampPath, '');
  } catch (error) {
    throw writeFailure(error, modules);
  }
  const args = ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'];
  const quiet = { ...env, CI: env.CI ?? 'true' };
  const end = await runChild(pnpm, args, { cwd: root, env: quiet, capture: true });
  if (end.interruptedBy !== null) throw new BootstrapError('interrupted while installing packages', { exitCode: 130 });
  if (end.exitCode !== 0) {
    if (/OUTDATED_LOCKFILE/.test(end.output)) {
      throw new BootstrapError(
        `pnpm-lock.yaml does not fit the package.json files. Run "pnpm install" and commit the lockfile.\n${end.output.trim()}`,
      );
    }
    throw new BootstrapError(fetchFailure('the packages of this repository', end.output));
  }
  await writeFile(stampPath, `${wanted}\n`);
}
