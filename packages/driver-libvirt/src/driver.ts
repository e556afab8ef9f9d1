import {
  type CallOptions,
  type Driver,
  type DriverCapabilities,
  type ForkOptions,
  type GoldenImage,
  type GoldenSnapshot,
  type HostReport,
  isWarmvmError,
  JoinedJobs,
  type Machine,
  type MachineRecord,
  type OwnerTag,
  type PrepareOptions,
  WarmvmError,
} from '@warmvm/core/driver';
import { forkMachine } from './fork.ts';
import { GoldenMaker, type LibvirtGolden } from './golden.ts';
import { type Guardian, guardianFor } from './guardian.ts';
import { type HostFacts, hostFacts } from './host-facts.ts';

import { disposedError } from './interruption.ts';

import { requireRunning } from './lifecycle.ts';

import { LibvirtMachine } from './machine.ts';
import { isAbsent } from './map-error.ts';
import { type LibvirtDriverOptions, type ParsedOptions, parseOptions } from './options.ts';
import { Session } from './session.ts';
import { type MarkedDomain, Workshop } from './workshop.ts';

/**
 * A driver for one libvirt daemon. Nothing is connected or started before the first call.
 *
 * @throws TypeError, RangeError for bad options
 */
export function createLibvirtDriver(options: LibvirtDriverOptions = {}): Driver {
  return new LibvirtDriver(parseOptions(options));
}

class LibvirtDriver implements Driver {
  readonly specificationVersion = 1;
  readonly name = 'libvirt';
  readonly capabilities: DriverCapabilities;
  readonly #session: Session;
  readonly #workshop: Workshop;
  readonly #preparing = new JoinedJobs<LibvirtGolden>();
  readonly #goldens = new Map<string, LibvirtGolden>();
  readonly #machines = new Set<LibvirtMachine>();
  readonly #guardian: Guardian | undefined;
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #facts: HostFacts | undefined;
  #disposed: Promise<void> | undefined;

  constructor(options: ParsedOptions) {
    this.#session = new Session(options);
    this.#guardian = guardianFor(options);
    this.#workshop = new Workshop(options, this.#session);
    this.capabilities = {
      reset: 'memory',
      stateEvents: true,
      guestAgent: true,
      forkCost: 'grows-with-memory',
      concurrentForks: options.concurrentForks,
      survivesReconnect: true,
    };
  }

  prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot> {
    return this.#track(options, (tracked) => this.#prepare(image, tracked));
  }

  async #prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot> {
    return this.#preparing.join(image.digest, options.signal, async (signal) => {
      const made = this.#goldens.get(image.digest);
      if (made !== undefined && (await this.#isThere(made, { signal }))) {
        options.onProgress?.({ step: 'reuse' });
        return made;
      }
      const facts = await this.#hostFacts({ signal });
      await this.#guard(options.owner, signal);
      const golden = await new GoldenMaker(this.#workshop).make(image, facts, { ...options, signal });
      this.#goldens.set(image.digest, golden);
      return golden;
    });
  }

  fork(golden: GoldenSnapshot, options: ForkOptions): Promise<Machine> {
    return this.#track(options, (tracked) => this.#fork(golden, tracked));
  }

  async #fork(golden: GoldenSnapshot, options: ForkOptions): Promise<Machine> {
    const known = this.#goldens.get(golden.digest);
    if (known === undefined || known !== golden) {
      throw new WarmvmError('WARMVM_GOLDEN_MISSING', `this driver has no golden snapshot ${golden.digest}`, {
        details: { digest: golden.digest, expected: 'a snapshot that prepare of this driver returned' },
      });
    }
    await this.#guard(options.owner, options.signal);
    const machine = await forkMachine(this.#workshop, known, options, (gone) => this.#machines.delete(gone));
    this.#machines.add(machine);
    return machine;
  }

  async list(owner: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    this.#requireAlive();
    const domains = await this.#workshop.list(owner.pool, options);
    const records: MachineRecord[] = [];
    for (const domain of domains) {
      const record = await this.#recordOf(domain, options);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    return this.#track(options, (tracked) => this.#adopt(record, tracked));
  }

  async #adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    const { dom, mark } = await this.#find(record, options);
    if (mark.kind !== 'machine') {
      throw new WarmvmError('WARMVM_NOT_SUPPORTED', `${record.id} is a golden snapshot; only machines are adopted`);
    }
    const { state } = await this.#session.state(dom, options);
    requireRunning(record.id, state);
    const adopted: MarkedDomain = { dom, mark: { ...mark, owner: options.owner } };
    await this.#guard(options.owner, options.signal);
    try {
      await this.#workshop.remark(dom, adopted.mark, options);
      const onDispose = (gone: LibvirtMachine): boolean => this.#machines.delete(gone);
      const machine = await LibvirtMachine.takeOver(this.#workshop, adopted, onDispose, options);
      this.#machines.add(machine);
      return machine;
    } catch (error) {
      // It stays whose it was, so that a sweep of its owner still finds it.
      await this.#workshop.remark(dom, mark).catch(() => {});
      if (isWarmvmError(error, 'WARMVM_HOST_OPERATION')) {
        // It may have died since it was looked at, and then every step fails in words of its own.
        const found = await this.#session.state(dom, options).catch(() => undefined);
        if (found !== undefined) requireRunning(record.id, found.state, error);
      }
      throw error;
    }
  }

  async remove(record: MachineRecord, options: CallOptions = {}): Promise<void> {
    this.#requireAlive();
    try {
      const found = await this.#find(record, options);
      for (const [digest, { template }] of this.#goldens) {
        if (template.dom.name === record.id) this.#goldens.delete(digest);
      }
      await this.#workshop.demolish(found, options);
    } catch (error) {
      if (!isWarmvmError(error, 'WARMVM_MACHINE_GONE')) throw error;
    }
    // Whoever made the storage pool may be dead. A driver that has something in it, or is about to, takes it away itself.
    const hasNothing = this.#machines.size === 0 && this.#goldens.size === 0 && this.#underWay.size === 0;
    if (hasNothing) await this.#workshop.storage.removeIfEmpty(options);
  }

  async ping(options: CallOptions = {}): Promise<HostReport> {
    this.#requireAlive();
    this.#facts = undefined;
    return (await this.#hostFacts(options)).report;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  /** Runs what makes something: dispose ends it and waits until it has taken back what it made. */
  async #track<Options extends CallOptions, Result>(
    options: Options,
    work: (options: Options) => Promise<Result>,
  ): Promise<Result> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const signal = AbortSignal.any([this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const running = work({ ...options, signal });
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  async #dispose(): Promise<void> {
    const failures: unknown[] = [];
    let lost = false;
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (isWarmvmError(error, 'WARMVM_HOST_LOST')) lost = true;
        else failures.push(error);
      }
    };
    this.#ending.abort(disposedError());
    await Promise.allSettled(this.#underWay);
    await Promise.all([...this.#machines].map((machine) => attempt(() => machine[Symbol.asyncDispose]())));
    for (const { template } of this.#goldens.values()) await attempt(() => this.#workshop.demolish(template));
    this.#goldens.clear();
    if (this.#session.everOpened) await attempt(() => this.#workshop.storage.removeIfEmpty());
    await this.#session.close();
    // What could not be removed here, the guardian tries once more from outside.
    if (lost || failures.length > 0) this.#guardian?.release();
    else await this.#guardian?.dismiss();
    if (failures.length === 0) return;
    throw new WarmvmError('WARMVM_HOST_OPERATION', 'the driver could not remove everything that it made', {
      cause: failures[0],
      details: { failures: failures.map(String) },
    });
  }

  async #hostFacts(options: CallOptions): Promise<HostFacts> {
    this.#facts ??= await hostFacts(this.#workshop, options);
    return this.#facts;
  }

  /** One guardian watches over all that this driver makes, whatever pool it is for. */
  async #guard(owner: OwnerTag, signal: AbortSignal | undefined): Promise<void> {
    await this.#guardian?.watchOver(owner.instance, signal);
  }

  /** Somebody may have removed what was made, by hand or by a sweep. */
  async #isThere({ digest, template, pool, volume }: LibvirtGolden, options: CallOptions): Promise<boolean> {
    try {
      await this.#session.state(template.dom, options);
      await this.#workshop.storage.volume(pool, volume.name, options);
      return true;
    } catch (error) {
      if (!isAbsent(error)) throw error;
      this.#goldens.delete(digest);
      await this.#workshop.demolish(template, options);
      return false;
    }
  }

  async #recordOf({ dom, mark }: MarkedDomain, options: CallOptions): Promise<MachineRecord | undefined> {
    try {
      const { state } = await this.#session.state(dom, options);
      const { kind, owner, generation } = mark;
      return { id: dom.name, kind, owner, generation, digest: mark.digest === '' ? null : mark.digest, state };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** The domain of a record, when it still is the one that was listed. A domain without our mark is never touched. */
  async #find(record: MachineRecord, options: CallOptions): Promise<MarkedDomain> {
    const gone = new WarmvmError(
      'WARMVM_MACHINE_GONE',
      `the host has no machine ${record.id} of pool ${record.owner.pool}`,
      {
        details: { machine: record.id, pool: record.owner.pool },
      },
    );
    try {
      const lookup = { name: record.id };
      const { dom } = await this.#session.call('domainLookupByName', lookup, `look up ${record.id}`, options);
      const mark = await this.#workshop.markOf(dom, options);
      const { pool, instance } = record.owner;
      if (mark === undefined || mark.owner.pool !== pool || mark.owner.instance !== instance) throw gone;
      return { dom, mark };
    } catch (error) {
      if (isAbsent(error)) throw gone;
      throw error;
    }
  }

  #requireAlive(): void {
    if (this.#disposed !== undefined) throw disposedError();
  }
}
