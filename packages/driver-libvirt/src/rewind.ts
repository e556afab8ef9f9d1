import { type CallOptions, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import type { DomainRef } from '@warmvm/libvirt';
import type { AgentLink } from './agent-link.ts';
import { readMark } from './mark.ts';
import { SNAPSHOT_NAME, type Workshop } from './workshop.ts';

/** `virDomainQemuMonitorCommandFlags`: the human monitor's language. */
const HUMAN_MONITOR = 1;
/** `virDomainSnapshotRevertFlags`: running afterwards. */
const REVERT_RUNNING = 1;

/** How a domain was brought back. */
export interface Rewound {
  /** False when a new QEMU runs: what was connected to the old one must be opened anew. */
  readonly agentSurvives: boolean;
}

/**
 * Brings a domain's memory and disk back to its snapshot and lets it run. In place first, when the options say so and nothing that
 * was said to the old guest can be left for the new one; libvirt's own revert otherwise, and when the monitor refused.
 */
export async function rewind(
  workshop: Workshop,
  dom: DomainRef,
  link: Pick<AgentLink, 'drain'>,
  options: CallOptions,
): Promise<Rewound> {
  if (workshop.options.reset === 'in-place' && (await link.drain(options.signal))) {
    try {
      await rewindInPlace(workshop, dom, options);
      return { agentSurvives: true };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
    }
  }
  await revert(workshop, dom, options);
  return { agentSurvives: false };
}

/** libvirt's own way: on a running domain it stops the QEMU process and starts another from the snapshot. */
export async function revert({ session }: Workshop, dom: DomainRef, options: CallOptions): Promise<void> {
  const lookup = { dom, name: SNAPSHOT_NAME, flags: 0 };
  const { snap } = await session.call(
    'domainSnapshotLookupByName',
    lookup,
    `find the snapshot of ${dom.name}`,
    options,
  );
  await session.make('domainRevertToSnapshot', { snap, flags: REVERT_RUNNING }, `revert ${dom.name}`, options);
}

/** Whose mark a revert brings back: that of the process which forked the machine. */
export async function snapshotOwner({ session }: Workshop, dom: DomainRef): Promise<string | undefined> {
  const lookup = { dom, name: SNAPSHOT_NAME, flags: 0 };
  const { snap } = await session.call('domainSnapshotLookupByName', lookup, `find the snapshot of ${dom.name}`);
  const { xml } = await session.call(
    'domainSnapshotGetXmlDesc',
    { snap, flags: 0 },
    `read the snapshot of ${dom.name}`,
  );
  return readMark(xml)?.owner.instance;
}

async function rewindInPlace(workshop: Workshop, dom: DomainRef, options: CallOptions): Promise<void> {
  await monitor(workshop, dom, 'stop', options);
  await monitor(workshop, dom, `loadvm ${SNAPSHOT_NAME}`, options);
  await monitor(workshop, dom, 'cont', options);
}

/** The human monitor says nothing when all went well. */
async function monitor({ session }: Workshop, dom: DomainRef, command: string, options: CallOptions): Promise<void> {
  const args = { dom, cmd: command, flags: HUMAN_MONITOR };
  const { result } = await session.call('domainMonitorCommand', args, `send '${command}' to ${dom.name}`, options);
  const said = result.trim();
  if (said === '') return;
  throw new WarmvmError('WARMVM_HOST_OPERATION', `QEMU refused '${command}' for ${dom.name}: ${said.slice(0, 200)}`, {
    details: { machine: dom.name, command, said: said.slice(0, 200) },
  });
}
