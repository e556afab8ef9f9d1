import { readFile } from 'node:fs/promises';
import { WarmvmError } from '@warmvm/core/driver';
import { type CommandRunner, lastLines } from './command-runner.ts';

/** What must be known of a computer to tell which of its packages are missing. */
export interface PackageFacts {
  /** Text of `/etc/os-release`; empty where there is none. */
  readonly osRelease: string;
  /** Whether this process may install. */
  readonly isRoot: boolean;
  readonly architecture: string;
  /** Names of the wanted packages that are installed. */
  readonly installed: ReadonlySet<string>;
  /** Whether the programs themselves answer, however they got there; asked only where there is no dpkg. */
  readonly programsPresent: boolean;
}

/** What to do about the packages of this computer. */
export type PackagePlan =
  | { readonly kind: 'complete' }
  | { readonly kind: 'install'; readonly missing: readonly string[] }
  /** `reason` says what is missing and what a person can do about it. */
  | { readonly kind: 'impossible'; readonly missing: readonly string[]; readonly reason: string };

export interface EnsurePackagesOptions {
  readonly runner: CommandRunner;
  /** Names of Debian packages. @default {@link hypervisorPackages} of this architecture */
  readonly packages?: readonly string[];
  /** Programs that must answer where there is no dpkg. @default those of QEMU and libvirt */
  readonly programs?: readonly string[];
  /** Told what is about to happen, in sentences for people. @default none */
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** For tests. @default read from this computer */
  readonly facts?: Omit<PackageFacts, 'installed' | 'programsPresent'>;
}

/** Debian packages that QEMU and libvirt guests need. The QEMU driver of libvirtd is only recommended by it, so it is named. */
export function hypervisorPackages(architecture: string = process.arch): readonly string[] {
  return [
    architecture === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86',
    'qemu-utils',
    'libvirt-daemon-system',
    'libvirt-daemon-driver-qemu',
    'libvirt-clients',
    'tini',
  ];
}

/** What QEMU alone needs: no daemon. */
export function qemuPackages(architecture: string = process.arch): readonly string[] {
  return [architecture === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86'];
}

/** Name of the program that runs guests of an architecture of Node's. */
export function qemuProgramOf(architecture: string = process.arch): string {
  return architecture === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64';
}

/** True for Debian, Ubuntu, and what calls itself like one of them. */
export function isDebianLike(osRelease: string): boolean {
  const words = [...osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap((match) =>
    (match[1] ?? '').split(' '),
  );
  return words.includes('debian') || words.includes('ubuntu');
}

/** Decides, from facts alone. */
export function planPackages(wanted: readonly string[], facts: PackageFacts): PackagePlan {
  const missing = wanted.filter((name) => !facts.installed.has(name));
  if (!isDebianLike(facts.osRelease)) {
    if (facts.programsPresent) return { kind: 'complete' };
    const reason = `this is not Debian or Ubuntu: install what is missing yourself (there called something like ${wanted.join(', ')})`;
    return { kind: 'impossible', missing: wanted, reason };
  }
  if (missing.length === 0) return { kind: 'complete' };
  if (facts.isRoot) return { kind: 'install', missing };
  const reason = `packages are missing and only root may install them: apt-get install --no-install-recommends ${missing.join(' ')}`;
  return { kind: 'impossible', missing, reason };
}

/** Which of the packages dpkg has installed completely. Unknown names are simply not among them. */
export async function installedPackages(
  runner: CommandRunner,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
  const format = '--showformat=${Package} ${db:Status-Status}\\n';
  const { output } = await runner.run(
    ['dpkg-query', '--show', format, ...names],
    signal === undefined ? {} : { signal },
  );
  const found = [...output.matchAll(/^(\S+) installed$/gm)].map((match) => match[1] as string);
  return new Set(found.filter((name) => names.includes(name)));
}

async function readFacts(): Promise<Omit<PackageFacts, 'installed' | 'programsPresent'>> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return { osRelease, isRoot: process.getuid?.() === 0, architecture: process.arch };
}

const LIBVIRT_PROGRAMS = ['qemu-img', 'libvirtd', 'virtlogd', 'tini'];

async function programsAnswer(
  runner: CommandRunner,
  programs: readonly string[],
  signal?: AbortSignal,
): Promise<boolean> {
  for (const program of programs) {
    const { exitCode } = await runner.run([program, '--version'], signal === undefined ? {} : { signal });
    if (exitCode !== 0) return false;
  }
  return true;
}

async function install(missing: readonly string[], options: EnsurePackagesOptions): Promise<void> {
  const { runner, signal } = options;
  const runOptions = {
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
    ...(signal === undefined ? {} : { signal }),
  };
  const flags = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];
  const attempt = () => runner.run(['apt-get', 'install', ...flags, ...missing], runOptions);
  options.onProgress?.(`installing ${missing.join(', ')} (apt-get install --no-install-recommends)`);
  if ((await attempt()).exitCode === 0) return;
  // Absent or stale lists are the usual reason, so they are fetched only now.
  options.onProgress?.('refreshing the package lists (apt-get update)');
  await runner.run(['apt-get', 'update', '-o', 'DPkg::Lock::Timeout=120'], runOptions);
  const second = await attempt();
  if (second.exitCode === 0) return;
  const said = `apt-get could not install ${missing.join(', ')}:\n${lastLines(second.output)}`;
  throw new WarmvmError('WARMVM_HOST_OPERATION', said, { details: { missing, exitCode: second.exitCode } });
}

/**
 * Looks whether the packages for real guests are there, and installs what is missing where that is possible. Answers
 * `impossible` instead of throwing when this computer is of another kind or this process may not install.
 * @throws WARMVM_HOST_OPERATION when the installation fails, with the end of what apt-get said; the signal's reason
 */
export async function ensurePackages(
  options: EnsurePackagesOptions,
): Promise<Exclude<PackagePlan, { kind: 'install' }>> {
  const facts = options.facts ?? (await readFacts());
  const wanted = options.packages ?? hypervisorPackages(facts.architecture);
  const debian = isDebianLike(facts.osRelease);
  const installed = debian ? await installedPackages(options.runner, wanted, options.signal) : new Set<string>();
  const programsPresent =
    debian || (await programsAnswer(options.runner, options.programs ?? LIBVIRT_PROGRAMS, options.signal));
  const plan = planPackages(wanted, { ...facts, installed, programsPresent });
  if (plan.kind !== 'install') return plan;
  await install(plan.missing, options);
  return { kind: 'complete' };
}
