import { randomBytes } from 'node:crypto';
import { type CallOptions, isWarmvmError, type OwnerTag, WarmvmError } from '@warmvm/core/driver';
import { type DomainRef, typedParams, uuidToString } from '@warmvm/libvirt';
import { isInterruption } from './interruption.ts';
import { type ObservedState, stateOf } from './lifecycle.ts';
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
/** `virDomainStatsTypes`. */
const STATS_OF_STATE = 1;
/** More than a daemon works on at a time. */
const READS_AT_A_TIME = 16;
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
  readonly #held = new Set<string>();

  constructor(options: ParsedOptions, session: Session) {
    this.options = options;
    this.session = session;
    this.storage = new Storage(session, options.storagePool, options.storagePath, options.verifyUploads);
  }

  /** A name that no other process chooses. */
  nameFor(owner: OwnerTag, kind: Mark['kind']): string {
    return `warmvm-${owner.pool}-${kind === 'golden' ? 'golden-' : ''}${randomBytes(6).toString('hex')}`;
  }

  /** Names of the domains that this driver made or took over, and that it has not seen removed. The host may have lost them. */
  get held(): readonly string[] {
    return [...this.#held];
  }

  /** From now on this driver answers for a domain: until {@link demolish} resolves, or {@link release}. */
  hold(name: string): void {
    this.#held.add(name);
  }

  /** Another owner answers for it. */
  release(name: string): void {
    this.#held.delete(name);
  }

  /** Every domain of the host that carries our mark, of the pool if one is named. Domains that vanish meanwhile are left out. */
  async list(pool: string | undefined, options: CallOptions = {}): Promise<readonly MarkedDomain[]> {
    const all = { needResults: 1, flags: 0 };
    const { domains } = await this.session.call('connectListAllDomains', all, 'list domains', options);
    const prefix = pool === undefined ? 'warmvm-' : `warmvm-${pool}-`;
    const ours = domains.filter(({ name }) => name.startsWith(prefix));
    // libvirt has no call that reads the metadata of all. The client keeps as many calls in flight as the daemon takes.
    const marks = await mapBounded(ours, READS_AT_A_TIME, async (dom) => ({
      dom,
      mark: await this.markOf(dom, options),
    }));
    return marks.flatMap(({ dom, mark }) =>
      mark !== undefined && (pool === undefined || mark.owner.pool === pool) ? [{ dom, mark }] : [],
    );
  }

  /** What the hypervisor says of the state of all domains, by their ids, in one call. */
  async states(options: CallOptions = {}): Promise<ReadonlyMap<string, ObservedState>> {
    const args = { doms: [], stats: STATS_OF_STATE, flags: 0 };
    const { retStats } = await this.session.call(
      'connectGetAllDomainStats',
      args,
      'read the states of domains',
      options,
    );
    return new Map(
      retStats.map(({ dom, params }) => {
        const found = typedParams(params);
        const observed = stateOf(Number(found.get('state.state')), Number(found.get('state.reason')));
        return [uuidToString(dom.uuid), observed] as const;
      }),
    );
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

  /** The domain of this name with its mark; undefined when it is gone or not ours. */
  async find(name: string, options: CallOptions = {}): Promise<MarkedDomain | undefined> {
    try {
      const { dom } = await this.session.call('domainLookupByName', { name }, `look up ${name}`, options);
      const mark = await this.markOf(dom, options);
      return mark === undefined ? undefined : { dom, mark };
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
    options.signal?.throwIfAborted();
    this.hold(name);
    try {
      return (await session.make('domainDefineXml', { xml }, `define ${name}`, options)).dom;
    } catch (error) {
      if (isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
      const defined = isInterruption(error) ? await this.find(name) : undefined;
      if (defined !== undefined) return defined.dom;
      this.release(name);
      throw error;
    }
  }

  /**
   * Destroys a domain of ours with its volumes; the mark goes last. Absent is success, at every step. Does nothing where the mark names
   * another owner by now.
   */
  async demolish(domain: MarkedDomain, options: CallOptions = {}): Promise<void> {
    const { session } = this;
    const { dom, mark } = domain;
    if (!(await this.isTakenOver(domain, options))) {
      await ignoring(isAbsentOrStopped, session.call('domainDestroy', { dom }, `destroy ${dom.name}`, options));
      await this.#storageOf(mark).delete(mark.volumes, options);
      const undefining = { dom, flags: UNDEFINE_ALL };
      await ignoring(isAbsent, session.call('domainUndefineFlags', undefining, `undefine ${dom.name}`, options));
    }
    this.release(dom.name);
  }

  /**
   * Writes the mark again, into the definition and, while the domain runs, into the running domain. `mayReplace` says of the present
   * mark whether it may be written over.
   * @throws WARMVM_MACHINE_GONE when the domain is gone, or belongs to another owner by now
   */
  async remark(
    dom: DomainRef,
    mark: Mark,
    mayReplace: (present: Mark) => boolean | Promise<boolean>,
    options: CallOptions = {},
  ): Promise<void> {
    const present = await this.markOf(dom, options);
    if (present === undefined || !(await mayReplace(present))) {
      const what = present === undefined ? 'is gone' : 'was taken over by another owner';
      throw new WarmvmError('WARMVM_MACHINE_GONE', `machine ${dom.name} ${what}`, { details: { machine: dom.name } });
    }
    const args = { dom, type: METADATA_ELEMENT, metadata: markXml(mark), key: 'warmvm', uri: MARK_NAMESPACE };
    const write = (flags: number): Promise<unknown> =>
      this.session.make('domainSetMetadata', { ...args, flags }, `mark ${dom.name}`, options);
    try {
      await write(LIVE_AND_CONFIG);
    } catch (error) {
      if (!isAbsentOrStopped(error) || isAbsent(error)) throw error;
      await write(CONFIG);
    }
  }

  /** The same for a domain of which only the name is known. */
  async demolishNamed(name: string): Promise<void> {
    const found = await this.find(name);
    if (found === undefined) this.release(name);
    else await this.demolish(found);
  }

  /**
   * Ends an adoption that failed. The machine stays with its former owner, so that a sweep of that owner still finds it; unless another
   * process has taken it over meanwhile.
   */
  async giveBack({ dom, mark }: MarkedDomain, former: Mark): Promise<void> {
    try {
      await this.remark(dom, former, ({ owner }) => owner.instance === mark.owner.instance);
    } catch (error) {
      // Still in our name on a host that does not answer: the guardian knows that name.
      if (!isWarmvmError(error, 'WARMVM_MACHINE_GONE')) return;
    }
    this.release(dom.name);
  }

  #storageOf({ storagePool }: Mark): Storage {
    const { storagePath, verifyUploads } = this.options;
    if (storagePool === this.storage.name) return this.storage;
    return new Storage(this.session, storagePool, storagePath, verifyUploads);
  }
}

/** Results in the order of the items, at most `limit` of them worked on at a time. The first failure rejects. */
async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
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
