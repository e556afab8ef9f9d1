import { randomBytes } from 'node:crypto';
import type { CallOptions, OwnerTag } from '@warmvm/core/driver';
import type { DomainRef } from '@warmvm/libvirt';
import { isInterruption } from './interruption.ts';
import { isAbsent, isInvalidNow } from './map-error.ts';
import { MARK_NAMESPACE, type Mark, markXml, readMark } from './mark.ts';
import type { ParsedOptions } from './options.ts';
import type { Session } from './session.ts';
import { Storage } from './storage.ts';

/** Name of the snapshot in every container. */
export const SNAPSHOT_NAME = 'golden';

/** `virDomainUndefineFlagsValues`: with managed save image, snapshot metadata, NVRAM and checkpoint metadata. */
const UNDEFINE_ALL = 1 | 2 | 4 | 16;
/** `virDomainModificationImpact`: the running domain and its definition. */
const LIVE_AND_CONFIG = 1 | 2;
const CONFIG = 2;
/** `virDomainMetadataType`: an element in a name space. */
const METADATA_ELEMENT = 2;

/** A domain of ours and its mark. */
export interface MarkedDomain {
  readonly dom: DomainRef;
  readonly mark: Mark;
}

/** What all parts of the driver work with: the session, the storage, and the rules for what carries our mark. */
export class Workshop {
  readonly options: ParsedOptions;
  readonly session: Session;
  readonly storage: Storage;

  constructor(options: ParsedOptions, session: Session) {
    this.options = options;
    this.session = session;
    this.storage = new Storage(session, options.storagePool, options.storagePath, options.verifyUploads);
  }

  /** A name that no other process chooses. */
  nameFor(owner: OwnerTag, kind: Mark['kind']): string {
    return `warmvm-${owner.pool}-${kind === 'golden' ? 'golden-' : ''}${randomBytes(6).toString('hex')}`;
  }

  /** Every domain of the host that carries our mark, of the pool if one is named. Domains that vanish meanwhile are left out. */
  async list(pool: string | undefined, options: CallOptions = {}): Promise<readonly MarkedDomain[]> {
    const { domains } = await this.session.call(
      'connectListAllDomains',
      { needResults: 1, flags: 0 },
      'list domains',
      options,
    );
    const found: MarkedDomain[] = [];
    for (const dom of domains) {
      if (!dom.name.startsWith('warmvm-')) continue;
      const mark = await this.markOf(dom, options);
      if (mark !== undefined && (pool === undefined || mark.owner.pool === pool)) found.push({ dom, mark });
    }
    return found;
  }

  async markOf(dom: DomainRef, options: CallOptions = {}): Promise<Mark | undefined> {
    try {
      const { xml } = await this.session.call('domainGetXmlDesc', { dom, flags: 0 }, `read ${dom.name}`, options);
      return readMark(xml);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Whether the mark on the host names another owner by now. */
  async isTakenOver({ dom, mark }: MarkedDomain, options: CallOptions = {}): Promise<boolean> {
    const present = await this.markOf(dom, options);
    return present !== undefined && present.owner.instance !== mark.owner.instance;
  }

  /** Defines a domain. One whose answer was lost is looked up, so that nothing stays that nobody knows. */
  async define(xml: string, name: string, options: CallOptions = {}): Promise<DomainRef> {
    const { session } = this;
    try {
      return (await session.make('domainDefineXml', { xml }, `define ${name}`, options)).dom;
    } catch (error) {
      if (!isInterruption(error)) throw error;
      const lookup = session.call('domainLookupByName', { name }, `look up ${name}`);
      return lookup.then(
        ({ dom }) => dom,
        (failure: unknown) => {
          throw isAbsent(failure) ? error : failure;
        },
      );
    }
  }

  /** Destroys a domain of ours with its volumes; the mark goes last. Absent is success, at every step. */
  async demolish({ dom, mark }: MarkedDomain, options: CallOptions = {}): Promise<void> {
    const { session } = this;
    await ignoring(isAbsentOrStopped, session.call('domainDestroy', { dom }, `destroy ${dom.name}`, options));
    const storage =
      mark.storagePool === this.storage.name
        ? this.storage
        : new Storage(session, mark.storagePool, this.options.storagePath, this.options.verifyUploads);
    await storage.delete(mark.volumes, options);
    await ignoring(
      isAbsent,
      session.call('domainUndefineFlags', { dom, flags: UNDEFINE_ALL }, `undefine ${dom.name}`, options),
    );
  }

  /** Writes the mark anew, into the definition and, while the domain runs, into the running domain. */
  async remark(dom: DomainRef, mark: Mark, options: CallOptions = {}): Promise<void> {
    const args = { dom, type: METADATA_ELEMENT, metadata: markXml(mark), key: 'warmvm', uri: MARK_NAMESPACE };
    try {
      await this.session.call('domainSetMetadata', { ...args, flags: LIVE_AND_CONFIG }, `mark ${dom.name}`, options);
    } catch (error) {
      if (!isAbsentOrStopped(error) || isAbsent(error)) throw error;
      await this.session.call('domainSetMetadata', { ...args, flags: CONFIG }, `mark ${dom.name}`, options);
    }
  }
}

/** Also of a domain that has stopped already, which libvirt calls an invalid operation. */
function isAbsentOrStopped(error: unknown): boolean {
  return isAbsent(error) || isInvalidNow(error);
}

async function ignoring(expected: (error: unknown) => boolean, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!expected(error)) throw error;
  }
}
