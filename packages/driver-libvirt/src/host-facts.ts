import {
  type CallOptions,
  chooseAcceleration,
  type HostReport,
  isWarmvmError,
  localAcceleration,
} from '@warmvm/core/driver';
import { libvirtContainment } from './containment.ts';
import { hasVirtualisation, hostCpuXml } from './host-cpu.ts';
import type { Mark } from './mark.ts';
import type { Session } from './session.ts';
import type { Workshop } from './workshop.ts';
import { XmlElement } from './xml.ts';

/** What the driver must know of a host before it makes anything there. */
export interface HostFacts {
  readonly hostname: string;
  readonly acceleration: 'kvm' | 'tcg';
  readonly agentTransport: Mark['agentTransport'];
  readonly report: HostReport;
}

/** First libvirt that lets a device property be overridden: 8.2.0. See libvirt's news of April 2022. */
const OVERRIDE_SINCE = 8_002_000;
const KIBIBYTE = 1024;
/** `virConnectBaselineCPUFlags`: also the features that the model implies. */
const EXPAND_FEATURES = 1;

/** Asks the daemon, and this computer when the daemon is on it. */
export async function hostFacts(workshop: Workshop, options: CallOptions = {}): Promise<HostFacts> {
  const { session, options: driverOptions } = workshop;
  const [{ hostname }, { hvVer }, { libVer }, node, { capabilities }] = await Promise.all([
    session.call('connectGetHostname', {}, 'read the host name', options),
    session.call('connectGetVersion', {}, 'read the version of the hypervisor', options),
    session.call('connectGetLibVersion', {}, 'read the version of libvirt', options),
    session.call('nodeGetInfo', {}, 'read the size of the host', options),
    session.call('connectGetCapabilities', {}, 'read the capabilities of the host', options),
  ]);
  const description = XmlElement.parse(capabilities, 'the capabilities');
  const offered = offersKvm(description) ? (['kvm'] as const) : [];
  const seen =
    driverOptions.dial === undefined
      ? { local: await localAcceleration() }
      : offered.length > 0
        ? await farKvmFacts(session, description, options)
        : {};
  const chosen = chooseAcceleration(driverOptions.acceleration, { hypervisor: 'libvirt', offered, ...seen });
  const acceleration = chosen.acceleration === 'kvm' ? 'kvm' : 'tcg';
  const newEnough = Number(libVer) >= OVERRIDE_SINCE;
  const agentTransport =
    driverOptions.agentTransport === 'auto' ? (newEnough ? 'channel' : 'libvirt') : driverOptions.agentTransport;
  const containment = libvirtContainment(description);
  return {
    hostname,
    acceleration,
    agentTransport,
    report: {
      host: hostname,
      hypervisor: `QEMU ${version(hvVer)}, libvirt ${version(libVer)}`,
      acceleration,
      accelerationReason: chosen.reason,
      memoryBytes: Number(node.memory) * KIBIBYTE,
      virtualCpus: node.cpus,
      ...(containment.length === 0 ? {} : { containment }),
    },
  };
}

function offersKvm(capabilities: XmlElement): boolean {
  const guests = capabilities.at('capabilities')?.children('guest') ?? [];
  const domains = guests.flatMap((guest) => guest.children('arch')).flatMap((arch) => arch.children('domain'));
  return domains.some((domain) => domain.attribute('type') === 'kvm');
}

/** libvirt lists KVM where there is a device, whatever the CPU can do; its list of the CPU's features knows better. */
async function farKvmFacts(
  session: Session,
  capabilities: XmlElement,
  options: CallOptions,
): Promise<{ readonly farCpuHasVirtualisation?: boolean }> {
  const cpu = hostCpuXml(capabilities);
  if (cpu === undefined) return {};
  try {
    const args = { xmlCpus: [cpu], flags: EXPAND_FEATURES };
    const expanded = await session.call('connectBaselineCpu', args, 'read the features of the CPU', options);
    return { farCpuHasVirtualisation: hasVirtualisation(expanded.cpu) };
  } catch (error) {
    // A daemon that cannot compute it does not say; a connection that broke is another matter.
    if (isWarmvmError(error, 'WARMVM_HOST_OPERATION') || isWarmvmError(error, 'WARMVM_NOT_SUPPORTED')) return {};
    throw error;
  }
}

/** libvirt counts a version as major * 1,000,000 + minor * 1,000 + release. */
function version(value: bigint): string {
  const number = Number(value);
  return `${Math.floor(number / 1_000_000)}.${Math.floor(number / 1_000) % 1_000}.${number % 1_000}`;
}
