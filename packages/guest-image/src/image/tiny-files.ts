import { join } from 'node:path';
import { type CallOptions, WarmvmError } from '@warmvm/core/driver';
import type { GuestArchitecture } from '../architecture/guest-architecture.ts';
import { type CpioEntry, writeCpio } from '../archive/cpio.ts';
import { readElfDynamic } from '../elf/elf-reader.ts';
import { MODULES, NETWORK_MODULES } from '../guest/command-line.ts';
import { hardwareClockProgram } from '../guest/hardware-clock-program.ts';
import { initScript, SHUTDOWN_SCRIPT } from '../guest/init-script.ts';
import { RENEW_PATH, RENEW_SCRIPT, RESEED_PATH } from '../guest/renew-script.ts';
import { reseedProgram } from '../guest/reseed-program.ts';
import { invalidGolden } from '../invalid.ts';
import { appletNames } from '../packages/applet-names.ts';
import { collectLibraries } from '../packages/library-closure.ts';
import { collectModules } from '../packages/module-closure.ts';
import { PackageFiles } from '../packages/package-files.ts';
import type { PackageSource, SourcePackage } from '../packages/package-source.ts';
import type { TinyImageProgress } from './tiny-options.ts';
import { rootPackages } from './tiny-recipe.ts';

/** The two files of a tiny image, and what they were made from. */
export interface TinyFiles {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  readonly packages: readonly SourcePackage[];
}

/** What building needs. */
export interface TinyBuild extends CallOptions {
  readonly architecture: GuestArchitecture;
  readonly source: PackageSource;
  /** Folder to unpack packages in. */
  readonly directory: string;
  readonly onProgress: (progress: TinyImageProgress) => void;
}

/**
 * Builds kernel and initrd from packages. The same packages give the same bytes.
 * @throws WARMVM_GOLDEN_MISSING when packages cannot be had, WARMVM_GOLDEN_INVALID when they are not as expected
 */
export async function buildTinyFiles(build: TinyBuild): Promise<TinyFiles> {
  const { source, directory, architecture } = build;
  const call: CallOptions = build.signal === undefined ? {} : { signal: build.signal };
  build.onProgress({ step: 'resolve' });
  const roots = await resolveRoots(architecture, source, call);
  build.onProgress({ step: 'download' });
  await source.unpack([roots.kernel, roots.shell, roots.agent], directory, call);
  const filesOf = (found: SourcePackage): PackageFiles => new PackageFiles(found.name, join(directory, found.name));

  build.onProgress({ step: 'libraries' });
  const agent = await filesOf(roots.agent).read('usr/sbin/qemu-ga', 'usr/bin/qemu-ga');
  const program = { name: 'qemu-ga', data: agent, package: roots.agent, architecture };
  const libraries = await collectLibraries(program, source, directory, call);

  build.onProgress({ step: 'pack' });
  const release = roots.kernel.name.replace(/^linux-image-/, '');
  const kernel = await filesOf(roots.kernel).read(`boot/vmlinuz-${release}`);
  const ofKernel = { ...call, architecture };
  const always = await collectModules(MODULES, filesOf(roots.kernel), ofKernel);
  const modules = await collectModules([...MODULES, ...NETWORK_MODULES], filesOf(roots.kernel), ofKernel);
  const names = modules.map(({ name }) => name);
  const shell = await filesOf(roots.shell).read('bin/busybox', 'usr/bin/busybox');
  const initrd = writeCpio([
    ...skeleton(architecture, names.slice(0, always.length), names.slice(always.length)),
    executable('bin/busybox', shell),
    ...applets(shell, architecture),
    executable('bin/qemu-ga', agent),
    ...libraries.files.map(({ path, data }) => executable(path, data)),
    ...modules.map(({ name, data }): CpioEntry => file(`lib/modules/${name}.ko`, data)),
  ]);
  return { kernel, initrd, packages: [roots.meta, roots.kernel, roots.shell, roots.agent, ...libraries.packages] };
}

interface Roots {
  readonly meta: SourcePackage;
  readonly kernel: SourcePackage;
  readonly shell: SourcePackage;
  readonly agent: SourcePackage;
}

async function resolveRoots(architecture: GuestArchitecture, source: PackageSource, call: CallOptions): Promise<Roots> {
  const wanted = rootPackages(architecture);
  const known = await source.resolve(Object.values(wanted), call);
  const meta = existing(known, wanted.kernel);
  const kernelName = meta.dependencies.flat().find((name) => name.startsWith('linux-image-'));
  if (kernelName === undefined) {
    throw invalidGolden(`The package ${meta.name} depends on no kernel.`, { package: meta.name });
  }
  return {
    meta,
    kernel: existing(await source.resolve([kernelName], call), kernelName),
    shell: existing(known, wanted.shell),
    agent: existing(known, wanted.agent),
  };
}

function existing(known: ReadonlyMap<string, SourcePackage>, name: string): SourcePackage {
  const found = known.get(name);
  if (found !== undefined) return found;
  throw new WarmvmError(
    'WARMVM_GOLDEN_MISSING',
    `There is no package ${name}. The tiny image needs Debian's packages: run \`apt-get update\` as root and look at /etc/apt/sources.list, or describe an image of your own.`,
    { details: { package: name } },
  );
}

/** Names that busybox does not stand in for, though it may have programs of that name. */
const OWN_PROGRAMS: readonly string[] = ['busybox', 'shutdown', 'hwclock', 'qemu-ga'];

/** Links for all programs that busybox stands in for. */
function applets(shell: Uint8Array, architecture: GuestArchitecture): CpioEntry[] {
  const { needed } = readElfDynamic(shell, 'busybox', architecture);
  if (needed.length > 0) throw invalidGolden(`busybox is not static: it needs ${needed.join(', ')}.`, { needed });
  return appletNames(shell)
    .filter((name) => !OWN_PROGRAMS.includes(name))
    .map((name) => link(`bin/${name}`, 'busybox'));
}

function skeleton(
  architecture: GuestArchitecture,
  modules: readonly string[],
  networkModules: readonly string[],
): CpioEntry[] {
  return [
    ...['dev', 'disk', 'proc', 'root', 'run', 'sys', 'tmp'].map((path): CpioEntry => ({ kind: 'folder', path })),
    // All programs are in one folder, whatever people call it.
    link('sbin', 'bin'),
    link('usr/bin', '../bin'),
    link('usr/sbin', '../bin'),
    executable('init', Buffer.from(initScript(modules, networkModules))),
    executable('bin/shutdown', Buffer.from(SHUTDOWN_SCRIPT)),
    executable('bin/hwclock', hardwareClockProgram(architecture)),
    executable(RENEW_PATH.slice(1), Buffer.from(RENEW_SCRIPT)),
    executable(RESEED_PATH.slice(1), reseedProgram(architecture)),
    file('etc/passwd', Buffer.from('root:x:0:0:root:/root:/bin/sh\n')),
    file('etc/group', Buffer.from('root:x:0:\n')),
    file('etc/hostname', Buffer.from('warmvm\n')),
    file('etc/machine-id', Buffer.from('uninitialized\n')),
  ];
}

function link(path: string, target: string): CpioEntry {
  return { kind: 'link', path, target };
}

function executable(path: string, data: Uint8Array): CpioEntry {
  return { kind: 'file', path, data, executable: true };
}

function file(path: string, data: Uint8Array): CpioEntry {
  return { kind: 'file', path, data, executable: false };
}
