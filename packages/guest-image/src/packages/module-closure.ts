import { basename } from 'node:path';
import type { CallOptions } from '@warmvm/core/driver';
import type { GuestArchitecture } from '../architecture/guest-architecture.ts';
import { readModuleInfo } from '../elf/elf-reader.ts';
import { invalidGolden } from '../invalid.ts';
import { runTool } from '../tool/run-tool.ts';
import type { PackageFiles } from './package-files.ts';

/** A kernel module's file. */
export interface ModuleFile {
  /** As `insmod` and `lsmod` know it: underscores, no suffix. */
  readonly name: string;
  readonly data: Buffer;
}

/**
 * Finds kernel modules with all that they depend on, in an order in which they can be loaded: a module comes after all
 * it needs. Modules the kernel has built in are left out.
 * @throws WARMVM_GOLDEN_INVALID when one is neither there nor built in
 */
export async function collectModules(
  names: readonly string[],
  files: PackageFiles,
  options: CallOptions & { readonly architecture: GuestArchitecture },
): Promise<ModuleFile[]> {
  const paths = await files.list(['lib/modules', 'usr/lib/modules']);
  const byName = new Map(paths.filter((path) => /\.ko(\.xz)?$/.test(path)).map((path) => [moduleName(path), path]));
  const builtIn = new Set((await builtInModules(paths, files)).map(moduleName));
  const ordered = new Map<string, ModuleFile>();
  const entered = new Set<string>();
  const visit = async (name: string, neededBy: string): Promise<void> => {
    if (builtIn.has(name) || entered.has(name)) return;
    entered.add(name);
    const path = byName.get(name);
    if (path === undefined) {
      throw invalidGolden(`The kernel module ${name}, needed by ${neededBy}, is not in the package.`, { module: name });
    }
    const data = await readModule(path, files, options);
    const dependencies = readModuleInfo(data, path, options.architecture).get('depends') ?? '';
    for (const dependency of dependencies.split(',').filter(Boolean)) await visit(moduleName(dependency), name);
    ordered.set(name, { name, data });
  };
  for (const name of names) await visit(name, 'the tiny image');
  return [...ordered.values()];
}

async function readModule(path: string, files: PackageFiles, options: CallOptions): Promise<Buffer> {
  if (!path.endsWith('.xz')) return files.read(path);
  const result = await runTool({
    command: 'xz',
    arguments: ['--decompress', '--stdout', await files.locate(path)],
    whenMissing: 'This kernel compresses its modules: install `xz-utils`.',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (result.exitCode !== 0) throw invalidGolden(`${path} cannot be decompressed (${result.complaint}).`, { path });
  return result.output;
}

async function builtInModules(paths: readonly string[], files: PackageFiles): Promise<string[]> {
  const list = paths.find((path) => basename(path) === 'modules.builtin');
  return list === undefined ? [] : (await files.read(list)).toString().split('\n').filter(Boolean);
}

function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}
