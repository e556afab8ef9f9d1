import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, WarmvmError } from '@warmvm/core/driver';
import { referToFile } from '../golden/file-digest.ts';
import { invalidGolden } from '../invalid.ts';
import { runTool, type ToolResult } from '../tool/run-tool.ts';
import { APT_STATE_PATHS, fingerprintOf } from './apt-fingerprint.ts';
import { isPackageName, parsePackages } from './control.ts';
import type { PackageSource, SourcePackage } from './package-source.ts';

/** Options of {@link createAptSource}. */
export interface AptSourceOptions {
  /** Folder for package lists of our own, filled when the machine's lists know none of the packages, or are of another architecture. */
  readonly listsDirectory: string;
  /** Debian's name of an architecture that is not this machine's. What dpkg is set up for does not matter, and is not changed. @default none */
  readonly foreign?: string;
  /** Files and folders that decide what apt answers. @default apt's and dpkg's own */
  readonly statePaths?: readonly string[];
}

const WHEN_MISSING =
  'The tiny image is made from Debian packages: run this on Debian with `apt` and `dpkg` installed, or describe an image of your own with describeDiskImage or describeKernelImage.';

/** Packages through `apt-cache`, `apt-get download` and `dpkg-deb`, none of which needs root. */
export function createAptSource(options: AptSourceOptions): PackageSource {
  const { listsDirectory, foreign } = options;
  const ownLists = [...privateSettings(listsDirectory), ...(foreign === undefined ? [] : foreignSettings(foreign))];
  let settings: readonly string[] = foreign === undefined ? [] : ownLists;
  let listsWork = false;

  return {
    fingerprint: (call) =>
      fingerprintOf([...(options.statePaths ?? APT_STATE_PATHS), join(listsDirectory, 'lists')], call),
    async resolve(names, call) {
      if (!names.every(isPackageName)) throw new TypeError(`Not a package name among: ${names.join(', ')}.`);
      if (names.length === 0) return new Map();
      let found: ReadonlyMap<string, SourcePackage> = new Map();
      // Nobody but us fetches the lists of another architecture: those of the last time are no better than none.
      if (foreign === undefined || listsWork) found = await showPackages(settings, names, call);
      if (found.size === 0 && !listsWork) {
        settings = ownLists;
        const trouble = await updatePrivateLists(listsDirectory, settings, call);
        found = await showPackages(settings, names, call);
        // Where some list cannot be fetched, the others may do, or those of the last time.
        if (trouble !== undefined && found.size === 0) throw noLists(trouble, foreign);
      }
      listsWork = true;
      return found;
    },
    async unpack(packages, directory, call) {
      if (packages.length === 0) return;
      const downloads = await mkdtemp(join(directory, '.download-'));
      try {
        await download(packages, downloads, settings, call);
        for (const wanted of packages) await unpackOne(wanted, downloads, join(directory, wanted.name), call);
      } finally {
        await rm(downloads, { recursive: true, force: true });
      }
    },
  };
}

async function showPackages(
  settings: readonly string[],
  names: readonly string[],
  call: CallOptions,
): Promise<ReadonlyMap<string, SourcePackage>> {
  // Unknown names make it fail, but what it knows it prints all the same.
  const result = await run('apt-cache', [...settings, 'show', '--no-all-versions', '--', ...names], call);
  return new Map([...parsePackages(result.output.toString())].filter(([name]) => names.includes(name)));
}

function privateSettings(listsDirectory: string): readonly string[] {
  return [
    `-oDir::State::Lists=${join(listsDirectory, 'lists')}`,
    `-oDir::Cache=${join(listsDirectory, 'cache')}`,
    // Root's apt downloads as the user _apt, who cannot enter a private folder.
    ...(process.getuid?.() === 0 ? ['-oAPT::Sandbox::User=root'] : []),
  ];
}

/** An apt for another kind of machine, on which nothing is installed. */
function foreignSettings(architecture: string): readonly string[] {
  return [
    `-oAPT::Architecture=${architecture}`,
    `-oAPT::Architectures=${architecture}`,
    '-oDir::State::status=/dev/null',
    '-oAcquire::Languages=none',
  ];
}

/** Fetches lists; undefined when all could be had, else how apt ended. */
async function updatePrivateLists(
  listsDirectory: string,
  settings: readonly string[],
  call: CallOptions,
): Promise<ToolResult | undefined> {
  await mkdir(join(listsDirectory, 'lists', 'partial'), { recursive: true, mode: 0o700 });
  await mkdir(join(listsDirectory, 'cache', 'archives', 'partial'), { recursive: true, mode: 0o700 });
  // Without this, lists that cannot be fetched are no error to apt.
  const failLoudly = '-oAPT::Update::Error-Mode=any';
  const result = await run('apt-get', [...settings, failLoudly, '-q', 'update'], call);
  return result.exitCode === 0 ? undefined : result;
}

function noLists(result: ToolResult, foreign: string | undefined): WarmvmError {
  const whose = foreign === undefined ? '' : `, and that its mirrors carry ${foreign}`;
  return new WarmvmError(
    'WARMVM_GOLDEN_MISSING',
    `No package lists: apt knows none of the packages, and fetching lists failed (${lastLine(result)}). Run \`apt-get update\` as root and check the network${whose}.`,
    { retryable: true, details: { exitCode: result.exitCode, complaint: result.complaint } },
  );
}

async function download(
  packages: readonly SourcePackage[],
  directory: string,
  settings: readonly string[],
  call: CallOptions,
): Promise<void> {
  const wanted = packages.map(({ name, version }) => `${name}=${version}`);
  const result = await run('apt-get', [...settings, '-q', 'download', '--', ...wanted], call, directory);
  if (result.exitCode !== 0) {
    throw new WarmvmError(
      'WARMVM_GOLDEN_MISSING',
      `\`apt-get download\` failed for ${wanted.join(', ')} (${lastLine(result)}). Run \`apt-get update\` as root, since outdated lists name packages that are gone, and check the network.`,
      { retryable: true, details: { packages: wanted, exitCode: result.exitCode, complaint: result.complaint } },
    );
  }
}

async function unpackOne(wanted: SourcePackage, downloads: string, target: string, call: CallOptions): Promise<void> {
  const file = (await readdir(downloads)).find((name) => name.startsWith(`${wanted.name}_`) && name.endsWith('.deb'));
  if (file === undefined)
    throw invalidGolden(`apt-get downloaded no file for ${wanted.name}.`, { package: wanted.name });
  const path = join(downloads, file);
  const { digest } = await referToFile(path, call);
  if (digest !== `sha256:${wanted.sha256}`) {
    throw invalidGolden(
      `${file} has the digest ${digest}, expected sha256:${wanted.sha256} as the package lists say.`,
      {
        package: wanted.name,
      },
    );
  }
  const result = await run('dpkg-deb', ['--extract', path, target], call);
  if (result.exitCode !== 0)
    throw invalidGolden(`dpkg-deb cannot unpack ${file} (${lastLine(result)}).`, { package: wanted.name });
}

function run(command: string, list: readonly string[], call: CallOptions, directory?: string): Promise<ToolResult> {
  return runTool({
    command,
    arguments: list,
    whenMissing: WHEN_MISSING,
    ...(directory === undefined ? {} : { directory }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
}

function lastLine(result: ToolResult): string {
  return result.complaint.split('\n').at(-1) || `exit code ${result.exitCode}`;
}
