import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { runChild } from './child.mjs';
import {
  BootstrapError,
  fetchFailure,
  nodeSuits,
  platformPackages,
  pnpmSuits,
  unsupportedPlatform,
  WANTED,
  writeFailure,
} from './plan.mjs';

const execute = promisify(execFile);

/** What this machine is, in the words of the registry packages. */
function describeMachine() {
  // process.report would tell too, but it looks up network names and may take seconds.
  const musl = process.platform === 'linux' && /ld-musl|libc\.musl/.test(readFileSync('/proc/self/maps', 'utf8'));
  return { platform: process.platform, architecture: process.arch, musl };
}

/**
 * The first suitable program of this name on PATH, or null.
 * @param {string} name
 * @param {(version: string) => boolean} suits
 */
async function findOnPath(name, suits) {
  const seen = new Set([await realpath(process.execPath)]);
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, name);
    if (folder === '' || !existsSync(candidate)) continue;
    const real = await realpath(candidate).catch(() => candidate);
    if (seen.has(real)) continue;
    seen.add(real);
    try {
      await access(candidate, constants.X_OK);
      // A corepack shim would go to the network to answer.
      const env = { ...process.env, COREPACK_ENABLE_NETWORK: '0' };
      const { stdout } = await execute(candidate, ['--version'], { timeout: 5_000, env });
      if (suits(stdout.trim())) return candidate;
    } catch {
      // Not one that runs here: the next may.
    }
  }
  return null;
}

/**
 * Fetches one registry package into a folder of its own below the toolchain, all or nothing.
 * @param {{ root: string, packageName: string, version: string, binary: string, env: Record<string, string>, say: (text: string) => void }} options
 * @returns {Promise<string>} path of the binary
 */
async function fetchBinary({ root, packageName, version, binary, env, say }) {
  const toolchain = join(root, '.toolchain');
  const home = join(toolchain, `${packageName.replace('/', '+')}-${version}`);
  const path = join(home, 'node_modules', packageName, binary);
  if (existsSync(path)) return path;
  const what = `${packageName}@${version}`;
  say(`fetching ${what}`);
  /** @type {string} */
  let staging;
  try {
    await mkdir(toolchain, { recursive: true });
    staging = await mkdtemp(join(toolchain, '.fetch-'));
  } catch (error) {
    throw writeFailure(error, toolchain);
  }
  try {
    // A manifest of its own keeps npm from taking this checkout for the project.
    await writeFile(join(staging, 'package.json'), '{ "private": true }\n');
    const flags = [
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-save',
      '--no-package-lock',
      '--no-update-notifier',
    ];
    const args = ['install', '--prefix', staging, ...flags, '--prefer-offline', '--loglevel=error', what];
    const npmCli = process.env.npm_execpath;
    const end =
      npmCli !== undefined && /npm-cli\.c?js$/.test(npmCli)
        ? await runChild(process.execPath, [npmCli, ...args], { cwd: staging, env, capture: true })
        : await runChild('npm', args, { cwd: staging, env, capture: true });
    if (end.interruptedBy !== null) throw new BootstrapError(`interrupted while fetching ${what}`, { exitCode: 130 });
    if (end.exitCode !== 0) throw new BootstrapError(fetchFailure(what, end.output));
    const fetched = join(staging, 'node_modules', packageName, binary);
    await chmod(fetched, 0o755);
    await rename(staging, home).catch((error) => {
      // Someone else fetched the same meanwhile.
      if (!existsSync(path)) throw error;
    });
    return path;
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code === 'ENOENT' && String(error).includes('spawn npm')) {
      throw new BootstrapError(`npm is needed to fetch ${what}, and is not on PATH.`, { cause: error });
    }
    throw writeFailure(error, toolchain);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * The Node and the pnpm to work with: what runs, what was fetched before, what is on PATH, or what is fetched now.
 * @param {{ root: string, env: Record<string, string>, say: (text: string) => void }} options
 * @returns {Promise<{ node: string, pnpm: string, folders: string[] }>}
 */
export async function findToolchain({ root, env, say }) {
  const packages = platformPackages(describeMachine());
  /** @param {'node' | 'pnpm'} tool @param {string} binary @param {(version: string) => boolean} suits */
  const resolve = async (tool, binary, suits) => {
    const packageName = packages[tool];
    const version = WANTED[tool];
    if (packageName !== null) {
      const present = join(
        root,
        '.toolchain',
        `${packageName.replace('/', '+')}-${version}`,
        'node_modules',
        packageName,
        binary,
      );
      if (existsSync(present)) return present;
    }
    const onPath = await findOnPath(tool, suits);
    if (onPath !== null) return onPath;
    if (packageName === null) throw unsupportedPlatform(tool, version, packages.name);
    return fetchBinary({ root, packageName, version, binary, env, say });
  };
  const node = nodeSuits(process.versions.node) ? process.execPath : await resolve('node', 'bin/node', nodeSuits);
  const pnpm = await resolve('pnpm', 'pnpm', pnpmSuits);
  return { node, pnpm, folders: [...new Set([dirname(node), dirname(pnpm)])] };
}
