import { type ForkOptions, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { uuidToString } from '@warmvm/libvirt';
import { domainXml } from './domain-xml.ts';
import type { LibvirtGolden } from './golden.ts';
import { LibvirtMachine } from './machine.ts';
import { isAbsent } from './map-error.ts';
import { isMark, type Mark, markAttributes } from './mark.ts';
import { revert } from './rewind.ts';
import type { MarkedDomain, Workshop } from './workshop.ts';
import { XmlElement } from './xml.ts';

/** `virDomainSnapshotCreateFlags`: take note of a snapshot that exists, and that it is the current one. */
const REDEFINE_CURRENT = 1 | 2;

/**
 * A new machine without a boot: define (the mark comes first), clone the golden container on the host, tell libvirt of the snapshot
 * inside, revert to it, renew.
 */
export async function forkMachine(
  workshop: Workshop,
  golden: LibvirtGolden,
  options: ForkOptions,
  onDispose: (machine: LibvirtMachine) => void,
): Promise<LibvirtMachine> {
  const { session, storage } = workshop;
  const name = workshop.nameFor(options.owner, 'machine');
  const volume = `${name}.img`;
  const mark: Mark = {
    ...golden.template.mark,
    kind: 'machine',
    owner: options.owner,
    generation: 1,
    volumes: [volume],
  };
  const { image, container, facts } = golden;
  let domain: MarkedDomain | undefined;
  let machine: LibvirtMachine | undefined;
  try {
    const files = { ...golden.files, containerPath: await storage.pathOf(golden.pool, volume, options) };
    const xml = domainXml({ name, image, mark, acceleration: facts.acceleration, container, files });
    const dom = await workshop.define(xml, name, options);
    domain = { dom, mark };
    options.signal?.throwIfAborted();
    await storage.clone(golden.pool, golden.volume, volume, container.fileBytes, options);
    const snapshot = { dom, xmlDesc: transplanted(golden, domain, files.containerPath), flags: REDEFINE_CURRENT };
    await session.make('domainSnapshotCreateXml', snapshot, `note the snapshot of ${name}`, options);
    await revert(workshop, dom, options);
    machine = await LibvirtMachine.attach(workshop, domain, onDispose, options);
    await machine.renew(options);
    options.signal?.throwIfAborted();
    return machine;
  } catch (cause) {
    const leftBehind = await cleanedUp(workshop, domain, machine);
    if (options.signal?.aborted && leftBehind.length === 0) throw options.signal.reason;
    throw failure(cause, name, golden, leftBehind);
  }
}

/**
 * The golden's snapshot as one of the machine: other name, other id, other disk, and above all the machine's own mark: a revert puts
 * the definition inside the snapshot in the place of the domain's.
 */
function transplanted(golden: LibvirtGolden, { dom, mark }: MarkedDomain, containerPath: string): string {
  const { template, files, snapshotXml } = golden;
  const own = new Map([
    [template.dom.name, dom.name],
    [uuidToString(template.dom.uuid), uuidToString(dom.uuid)],
    [files.containerPath, containerPath],
  ]);
  return XmlElement.parse(snapshotXml, `the snapshot of ${template.dom.name}`).toText({
    element: (element) => (isMark(element) ? { attributes: markAttributes(mark) } : undefined),
    value: (value) => own.get(value) ?? value,
  });
}

async function cleanedUp(
  workshop: Workshop,
  domain: MarkedDomain | undefined,
  machine: LibvirtMachine | undefined,
): Promise<readonly string[]> {
  if (domain === undefined) return [];
  try {
    if (machine === undefined) await workshop.demolish(domain);
    else await machine[Symbol.asyncDispose]();
    return [];
  } catch {
    return [domain.dom.name, ...domain.mark.volumes];
  }
}

function failure(cause: unknown, name: string, golden: LibvirtGolden, leftBehind: readonly string[]): WarmvmError {
  const details = { machine: name, digest: golden.digest, leftBehind };
  if (isWarmvmError(cause, 'WARMVM_HOST_LOST')) {
    return new WarmvmError('WARMVM_HOST_LOST', cause.message, { retryable: cause.retryable, cause, details });
  }
  if (isAbsent(cause)) {
    return new WarmvmError('WARMVM_GOLDEN_MISSING', `the golden snapshot ${golden.digest} is gone from the host`, {
      cause,
      details,
    });
  }
  return new WarmvmError('WARMVM_FORK_FAILED', `machine ${name} could not be forked`, {
    cause,
    details,
    retryable: !isWarmvmError(cause) || cause.retryable,
  });
}
