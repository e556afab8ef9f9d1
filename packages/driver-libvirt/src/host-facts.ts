import type { CallOptions, HostReport } from '@warmvm/core/driver';
import { chooseAcceleration, localKvmFacts } from './acceleration.ts';
import type { Mark } from './mark.ts';
import type { Workshop } from './workshop.ts';

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
  const local = driverOptions.dial === undefined ? { local: await localKvmFacts() } : {};
  const listed = /<domain\s+type='kvm'/.test(capabilities);
  const { acceleration, reason } = chooseAcceleration(driverOptions.acceleration, { listed, ...local });
  const newEnough = Number(libVer) >= OVERRIDE_SINCE;
  const agentTransport =
    driverOptions.agentTransport === 'auto' ? (newEnough ? 'channel' : 'libvirt') : driverOptions.agentTransport;
  return {
    hostname,
    acceleration,
    agentTransport,
    report: {
      host: hostname,
      hypervisor: `QEMU ${version(hvVer)}, libvirt ${version(libVer)}`,
      acceleration,
      accelerationReason: reason,
      memoryBytes: Number(node.memory) * KIBIBYTE,
      virtualCpus: node.cpus,
    },
  };
}

/** libvirt counts a version as major * 1,000,000 + minor * 1,000 + release. */
function version(value: bigint): string {
  const number = Number(value);
  return `${Math.floor(number / 1_000_000)}.${Math.floor(number / 1_000) % 1_000}.${number % 1_000}`;
}
