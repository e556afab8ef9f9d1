import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';

/** What is known of a host's hardware virtualisation. */
export interface KvmFacts {
  /** libvirt lists KVM for the architecture. It does so also where guests cannot run. */
  readonly listed: boolean;
  /** This computer's own view, when it is the host: undefined for a far one. */
  readonly local?: { readonly deviceOpens: boolean; readonly cpuHasVirtualisation: boolean };
  /** Whether the CPU of a far host has vmx or svm, as libvirt sees it: undefined where it does not say. */
  readonly farCpuHasVirtualisation?: boolean;
}

/** Which acceleration machines use, and why. */
export interface Acceleration {
  readonly acceleration: 'kvm' | 'tcg';
  readonly reason: string;
}

/**
 * KVM only where it can really run guests: `/dev/kvm` may open, and even create a VM, on a CPU that shows no virtualisation
 * extension, and such a guest hangs in early boot.
 */
export function chooseAcceleration(wanted: 'auto' | 'kvm' | 'tcg', facts: KvmFacts): Acceleration {
  if (wanted !== 'auto') return { acceleration: wanted, reason: 'asked for by options.acceleration' };
  if (!facts.listed) return { acceleration: 'tcg', reason: 'libvirt offers no KVM on this host' };
  if (facts.local === undefined) return chooseFar(facts.farCpuHasVirtualisation);
  if (!facts.local.deviceOpens)
    return { acceleration: 'tcg', reason: '/dev/kvm does not open for reading and writing' };
  if (!facts.local.cpuHasVirtualisation) {
    return { acceleration: 'tcg', reason: '/dev/kvm opens, but the CPU shows neither vmx nor svm' };
  }
  return { acceleration: 'kvm', reason: '/dev/kvm opens and the CPU has a virtualisation extension' };
}

function chooseFar(cpuHasVirtualisation: boolean | undefined): Acceleration {
  if (cpuHasVirtualisation === undefined) return { acceleration: 'kvm', reason: 'libvirt offers KVM on this host' };
  return cpuHasVirtualisation
    ? { acceleration: 'kvm', reason: 'libvirt offers KVM on this host and its CPU has a virtualisation extension' }
    : { acceleration: 'tcg', reason: 'libvirt offers KVM on this host, but its CPU shows neither vmx nor svm' };
}

/** The host's CPU in libvirt's description of the host, for `connectBaselineCpu`; undefined for other than x86, where there is no flag. */
export function hostCpuXml(capabilities: string): string | undefined {
  const host = /<host>[\s\S]*?<\/host>/.exec(capabilities)?.[0] ?? '';
  const cpu = /<cpu>[\s\S]*?<\/cpu>/.exec(host)?.[0];
  return cpu !== undefined && /<arch>(x86_64|i686)<\/arch>/.test(cpu) && /<model>/.test(cpu) ? cpu : undefined;
}

/** Whether a CPU with all its features written out has one of the extensions that KVM needs. */
export function hasVirtualisation(cpuXml: string): boolean {
  return /<feature\b[^>]*\bname='(vmx|svm)'/.test(cpuXml);
}

/** Looks at this computer. On arm64 the device alone decides: there is no flag to look for. */
export async function localKvmFacts(architecture: string = process.arch): Promise<Required<KvmFacts>['local']> {
  const deviceOpens = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (architecture === 'arm64') return { deviceOpens, cpuHasVirtualisation: deviceOpens };
  const flags = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return { deviceOpens, cpuHasVirtualisation: /^flags\s*:.*\b(vmx|svm)\b/m.test(flags) };
}
