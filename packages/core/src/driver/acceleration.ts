import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { WarmvmError } from './error.ts';
import type { GoldenImage } from './image.ts';

/** How a hypervisor runs the guest's code. */
export type AccelerationName = 'kvm' | 'hvf' | 'tcg';

/** What is known of a host's hardware virtualisation. */
export interface AccelerationFacts {
  /** Who offers it, for the reason: `libvirt`, `QEMU 7.2.22`. */
  readonly hypervisor: string;
  /** What the hypervisor says it can use for the guest's architecture. It says so also where guests cannot run. */
  readonly offered: readonly AccelerationName[];
  /** The computer's own view, when it is this one: undefined for a far one. */
  readonly local?: LocalAcceleration;
  /** What the guests are for and what the host is, where that differs: no hardware helps then. */
  readonly foreign?: { readonly guest: string; readonly host: string };
  /** Whether the CPU of a far host has vmx or svm, as the hypervisor sees it: undefined where it does not say. */
  readonly farCpuHasVirtualisation?: boolean;
}

/** What this computer shows of its hardware virtualisation. */
export interface LocalAcceleration {
  /** `/dev/kvm` opens for reading and writing. */
  readonly deviceOpens: boolean;
  /** Whether the user that the hypervisor runs guests as may not open the device, though this process may. @default false */
  readonly isClosedToGuests?: boolean;
  /** The CPU has vmx or svm; on arm64 the same as `deviceOpens`. */
  readonly cpuHasVirtualisation: boolean;
}

/** Which acceleration machines use, and why: for `HostReport`. */
export interface Acceleration {
  readonly acceleration: AccelerationName;
  readonly reason: string;
}

/**
 * KVM only where it can really run guests: `/dev/kvm` may open, and even create a VM, on a CPU that shows no virtualisation
 * extension, and such a guest hangs in early boot. HVF where it is offered: macOS tells the truth about it. Guests for another
 * processor than the host's are emulated. One rule for all drivers.
 * @throws WARMVM_NOT_SUPPORTED when hardware is asked for that the guests cannot have
 */
export function chooseAcceleration(wanted: 'auto' | AccelerationName, facts: AccelerationFacts): Acceleration {
  const { hypervisor, offered, local, foreign } = facts;
  if (foreign !== undefined) return chooseForeign(wanted, foreign);
  if (wanted === 'kvm' && local?.isClosedToGuests === true) throw closedDevice(hypervisor);
  if (wanted !== 'auto') return { acceleration: wanted, reason: 'asked for by options.acceleration' };
  if (offered.includes('hvf')) return { acceleration: 'hvf', reason: `${hypervisor} offers HVF on this host` };
  if (!offered.includes('kvm')) return { acceleration: 'tcg', reason: `${hypervisor} offers no KVM on this host` };
  if (local === undefined) return chooseFar(hypervisor, facts.farCpuHasVirtualisation);
  if (!local.deviceOpens) return { acceleration: 'tcg', reason: '/dev/kvm does not open for reading and writing' };
  if (local.isClosedToGuests === true)
    return { acceleration: 'tcg', reason: `${CLOSED_DEVICE}: ${OPEN_DEVICE} opens it` };
  if (!local.cpuHasVirtualisation) {
    return { acceleration: 'tcg', reason: '/dev/kvm opens, but the CPU shows neither vmx nor svm' };
  }
  return { acceleration: 'kvm', reason: '/dev/kvm opens and the CPU has a virtualisation extension' };
}

const CLOSED_DEVICE = '/dev/kvm opens for this process, but not for the user that QEMU runs as';
const OPEN_DEVICE = '"chgrp kvm /dev/kvm && chmod 660 /dev/kvm"';

function closedDevice(hypervisor: string): WarmvmError {
  return new WarmvmError(
    'WARMVM_NOT_SUPPORTED',
    `options.acceleration is kvm, but ${CLOSED_DEVICE}. Run ${OPEN_DEVICE}.`,
    {
      details: { acceleration: 'kvm', hypervisor, expected: 'a device that QEMU may open, or auto or tcg' },
    },
  );
}

function chooseForeign(
  wanted: 'auto' | AccelerationName,
  { guest, host }: NonNullable<AccelerationFacts['foreign']>,
): Acceleration {
  if (wanted === 'auto' || wanted === 'tcg') {
    return { acceleration: 'tcg', reason: `the host is ${host}, and guests for ${guest} are emulated there` };
  }
  throw new WarmvmError(
    'WARMVM_NOT_SUPPORTED',
    `options.acceleration is ${wanted}, but a host of ${host} can only emulate guests for ${guest}`,
    {
      details: {
        acceleration: wanted,
        guest,
        host,
        expected: 'auto or tcg, or an image for the processor of the host',
      },
    },
  );
}

function chooseFar(hypervisor: string, cpuHasVirtualisation: boolean | undefined): Acceleration {
  const offers = `${hypervisor} offers KVM on this host`;
  if (cpuHasVirtualisation === undefined) return { acceleration: 'kvm', reason: offers };
  return cpuHasVirtualisation
    ? { acceleration: 'kvm', reason: `${offers} and its CPU has a virtualisation extension` }
    : { acceleration: 'tcg', reason: `${offers}, but its CPU shows neither vmx nor svm` };
}

/** The processor of this computer, as images and QEMU call it. */
export function hostArchitecture(): GoldenImage['architecture'] {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

/** Looks at this computer. On arm64 the device alone decides: there is no flag to look for. */
export async function localAcceleration(architecture: string = process.arch): Promise<LocalAcceleration> {
  const deviceOpens = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (architecture === 'arm64') return { deviceOpens, cpuHasVirtualisation: deviceOpens };
  const flags = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return { deviceOpens, cpuHasVirtualisation: /^flags\s*:.*\b(vmx|svm)\b/m.test(flags) };
}
