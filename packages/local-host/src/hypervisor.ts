import { WarmvmError } from '@warmvm/core/driver';
import { systemCommandRunner } from './command-runner.ts';
import { candidateSockets } from './daemon.ts';
import { ensurePackages, hypervisorPackages, type PackagePlan, qemuPackages, qemuProgramOf } from './packages.ts';
import { answers } from './socket.ts';

/** QEMU alone, or libvirt with it. */
export type Hypervisor = 'qemu' | 'libvirt';

/** What is looked at; replaced in tests. */
export interface HostFacts {
  readonly platform: string;
  readonly isRoot: boolean;
  /** Sees to the packages of QEMU alone, or of libvirt too. */
  packages(
    of: Hypervisor,
    say: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Exclude<PackagePlan, { kind: 'install' }>>;
  /** Whether a daemon listens there. */
  answers(socketPath: string): Promise<boolean>;
}

const THIS_COMPUTER: HostFacts = {
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

const NAMES = { qemu: 'QEMU', libvirt: 'libvirt' } as const;

/**
 * Why machines of this hypervisor are not possible here; undefined where they are. Installs what is missing where this process may.
 * @param say told what is about to happen, in sentences for people
 * @throws the signal's reason
 */
export async function obstacleTo(
  hypervisor: Hypervisor,
  say: (text: string) => void,
  signal: AbortSignal,
  facts: HostFacts = THIS_COMPUTER,
): Promise<string | undefined> {
  if (facts.platform !== 'linux') {
    const wanted = hypervisor === 'qemu' ? 'QEMU' : 'QEMU and libvirt';
    return `real machines need Linux with ${wanted}, and this is ${facts.platform}`;
  }
  const plan = await facts.packages(hypervisor, say, signal);
  if (plan.kind === 'impossible') return plan.reason;
  if (hypervisor === 'qemu' || facts.isRoot) return undefined;
  for (const socket of candidateSockets('/run/libvirt')) if (await facts.answers(socket)) return undefined;
  return 'no libvirt daemon answers this user: start libvirtd and join group libvirt, or run as root';
}

/**
 * Sees to it that machines of this hypervisor are possible here, as {@link obstacleTo} does.
 * @throws WARMVM_HOST_UNREACHABLE when they are not; the signal's reason
 */
export async function requireHypervisor(
  hypervisor: Hypervisor,
  say: (text: string) => void,
  signal: AbortSignal,
  facts: HostFacts = THIS_COMPUTER,
): Promise<void> {
  const obstacle = await obstacleTo(hypervisor, say, signal, facts);
  if (obstacle === undefined) return;
  const packages = hypervisor === 'qemu' ? qemuPackages() : hypervisorPackages();
  throw new WarmvmError('WARMVM_HOST_UNREACHABLE', `${NAMES[hypervisor]} cannot be used here: ${obstacle}`, {
    details: { packages },
  });
}
