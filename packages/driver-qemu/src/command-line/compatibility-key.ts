import { createHash } from 'node:crypto';
import type { MachinePlan } from './machine-plan.ts';
import type { NetworkPlan } from './network-plan.ts';
import { qemuArguments } from './qemu-arguments.ts';

/** What a device state depends on besides the command line. */
export interface CompatibilityFacts {
  /** QEMU's own words, with the distribution's: `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`. */
  readonly qemuVersion: string;
  /** Digest of the golden image: kernel, initrd, disk, renewal. */
  readonly imageDigest: string;
  /** The host's processor and kernel, where the guest sees them: see `hostProcessor`. */
  readonly hostProcessor: string;
}

/** Grows when the state is made in another way than before, so that old ones are not taken for new ones. */
const FORMAT = 1;
const ANY_PATH = '/-';
const ANY_UUID = '00000000-0000-0000-0000-000000000000';
const ANY_MAC = '02:00:00:00:00:00';

/**
 * 64 hexadecimal digits that are equal for two machines exactly when a device state of one can be loaded into the other. It is a
 * digest of the command line itself with what may differ (paths, names, the generation, addresses of the network) replaced, so that
 * nothing which reaches QEMU can be forgotten. The plan is the template's: a fork's may leave out how it once booted.
 */
export function compatibilityKey(plan: MachinePlan, facts: CompatibilityFacts): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([FORMAT, facts.qemuVersion, facts.imageDigest, facts.hostProcessor]));
  hash.update(JSON.stringify(qemuArguments(alike(plan))));
  return hash.digest('hex');
}

/** The plan without what a device state does not depend on. */
function alike(plan: MachinePlan): MachinePlan {
  const { generationId, memory, boot, disks, network, heir: _heir, starter: _starter, ...rest } = plan;
  const channel = { kind: 'listen', path: ANY_PATH } as const;
  return {
    ...rest,
    name: 'any',
    memory: { bytes: memory.bytes },
    boot:
      boot.kind === 'kernel'
        ? { kind: 'kernel', kernelPath: ANY_PATH, initrdPath: ANY_PATH, commandLine: boot.commandLine }
        : boot,
    // The content is the image's, and how it is wrapped in files the guest does not see.
    disks: disks.map(({ readOnly }) => ({ path: ANY_PATH, format: 'raw', readOnly: readOnly ?? false })),
    qmp: channel,
    agent: channel,
    console: { kind: 'none' },
    network: alikeNetwork(network),
    ...(generationId === undefined ? {} : { generationId: ANY_UUID }),
    incoming: false,
    sandbox: true,
  };
}

function alikeNetwork(network: NetworkPlan): NetworkPlan {
  if (network.kind === 'none') return network;
  if (network.kind === 'tap') return { kind: 'unplugged', mac: ANY_MAC };
  // What its guest may reach shapes a template, and a user network has a state of its own.
  return network.kind === 'user'
    ? { kind: 'user', restrict: network.restrict, mac: ANY_MAC }
    : { kind: 'unplugged', mac: ANY_MAC };
}
