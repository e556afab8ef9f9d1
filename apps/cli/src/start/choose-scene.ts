import { WarmvmError } from '@warmvm/core';
import { systemCommandRunner } from '../host/command-runner.ts';
import { candidateSockets } from '../host/daemon.ts';
import { ensurePackages, hypervisorPackages, type PackagePlan, qemuPackages, qemuProgramOf } from '../host/packages.ts';
import { answers } from '../host/socket.ts';
import type { StartOptions } from './options.ts';

/** Which scene the main job plays in, and why. */
export type SceneChoice =
  | { readonly kind: 'qemu'; readonly why: string }
  | { readonly kind: 'libvirt'; readonly why: string }
  | { readonly kind: 'libvirt-ssh'; readonly why: string; readonly uri: string }
  | { readonly kind: 'fake'; readonly why: string };

/** What is looked at to choose; replaced in tests. */
export interface SceneFacts {
  readonly platform: string;
  readonly isRoot: boolean;
  /** Sees to the packages of QEMU alone, or of libvirt too. */
  packages(
    of: 'qemu' | 'libvirt',
    say: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Exclude<PackagePlan, { kind: 'install' }>>;
  /** Whether a daemon listens there. */
  answers(socketPath: string): Promise<boolean>;
}

const THIS_COMPUTER: SceneFacts = {
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  packages: (of, say, signal) =>
    ensurePackages({
      runner: systemCommandRunner,
      onProgress: say,
      signal,
      ...(of === 'qemu' ? { packages: qemuPackages(), programs: [qemuProgramOf()] } : {}),
    }),
  answers,
};

/**
 * Real machines where they are possible, the fake else. Installs what is missing where this process may.
 * @throws WARMVM_HOST_UNREACHABLE when QEMU or libvirt was asked for and is not possible
 */
export async function chooseScene(
  { driver: wanted, uri }: Pick<StartOptions, 'driver' | 'uri'>,
  say: (text: string) => void,
  signal: AbortSignal,
  facts: SceneFacts = THIS_COMPUTER,
): Promise<SceneChoice> {
  if (wanted === 'libvirt-ssh') {
    if (uri === undefined) throw new TypeError('--driver libvirt-ssh needs --uri qemu+ssh://user@host/system');
    return { kind: 'libvirt-ssh', why: 'asked for with --driver libvirt-ssh', uri };
  }
  if (uri !== undefined) throw new TypeError(`--uri is for --driver libvirt-ssh, not for ${wanted}; leave it out`);
  if (wanted === 'fake') return { kind: 'fake', why: 'asked for with --driver fake' };
  if (wanted === 'libvirt') {
    const obstacle = await obstacleToLibvirt(facts, say, signal);
    if (obstacle === undefined) return { kind: 'libvirt', why: 'QEMU and libvirt are installed' };
    throw unusable('libvirt', obstacle, hypervisorPackages());
  }
  const obstacle = await obstacleToQemu(facts, say, signal);
  if (obstacle === undefined) return { kind: 'qemu', why: 'QEMU is installed; neither a daemon nor root is needed' };
  if (wanted === 'auto') return { kind: 'fake', why: obstacle };
  throw unusable('QEMU', obstacle, qemuPackages());
}

function unusable(what: string, obstacle: string, packages: readonly string[]): WarmvmError {
  return new WarmvmError('WARMVM_HOST_UNREACHABLE', `${what} cannot be used here: ${obstacle}`, {
    details: { packages },
  });
}

async function obstacleToQemu(
  facts: SceneFacts,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (facts.platform !== 'linux') return `real machines need Linux with QEMU, and this is ${facts.platform}`;
  const plan = await facts.packages('qemu', say, signal);
  return plan.kind === 'impossible' ? plan.reason : undefined;
}

async function obstacleToLibvirt(
  facts: SceneFacts,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (facts.platform !== 'linux')
    return `real machines need Linux with QEMU and libvirt, and this is ${facts.platform}`;
  const plan = await facts.packages('libvirt', say, signal);
  if (plan.kind === 'impossible') return plan.reason;
  if (facts.isRoot) return undefined;
  for (const socket of candidateSockets('/run/libvirt')) if (await facts.answers(socket)) return undefined;
  return 'no libvirt daemon answers this user: start libvirtd and join group libvirt, or run as root';
}
