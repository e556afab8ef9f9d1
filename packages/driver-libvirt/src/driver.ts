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
  retryableDispose,
  WarmvmError,
} from '@warmvm/core/driver';
import { uuidToString } from '@warmvm/libvirt';
import { forkMachine } from './fork.ts';
import { GoldenMaker, type LibvirtGolden } from './golden.ts';
import { type Guardian, guardianFor } from './guardian.ts';
import { type HostFacts, hostFacts } from './host-facts.ts';

import { disposedError, leftBehind, warnOfLeftBehind } from './interruption.ts';

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
  readonly #disposeOnce = retryableDispose(() => this.#dispose());
  #isDisposed = false;

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

  list({ pool }: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    return this.#list(pool, options);
  }

  listAll(options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    return this.#list(undefined, options);
  }

  async #list(pool: string | undefined, options: CallOptions): Promise<readonly MachineRecord[]> {
    this.#requireAlive();
    const domains = await this.#workshop.list(pool, options);
    if (domains.length === 0) return [];
    const states = await this.#workshop.states(options);
    return domains.flatMap(({ dom, mark: { kind, owner, generation, digest } }) => {
      const state = states.get(uuidToString(dom.uuid))?.state;
      if (state === undefined) return [];
      return [{ id: dom.name, kind, owner, generation, digest: digest === '' ? null : digest, state }];
    });
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
    const workshop = this.#workshop;
    await workshop.remark(dom, adopted.mark, (present) => present.owner.instance === mark.owner.instance, options);
    workshop.hold(dom.name);
    let machine: LibvirtMachine | undefined;
    try {
      machine = await LibvirtMachine.takeOver(workshop, adopted, (gone) => this.#machines.delete(gone), options);
      // Two who adopt at once both read the old mark: the later one stands.
      if (await workshop.isTakenOver(adopted, options)) throw goneFrom(record);
      this.#machines.add(machine);
      return machine;
    } catch (error) {
      await machine?.leave();
      await workshop.giveBack(adopted, mark);
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
    this.#isDisposed = true;
    return this.#disposeOnce();
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
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        // Dispose is safe after host loss: what is left there carries our mark.
        if (!isWarmvmError(error, 'WARMVM_HOST_LOST')) failures.push(error);
      }
    };
    this.#ending.abort(disposedError());
    await Promise.allSettled(this.#underWay);
    const workshop = this.#workshop;
    if (this.#session.everOpened) this.#session.reopen();
    await Promise.all([...this.#machines].map((machine) => attempt(() => machine[Symbol.asyncDispose]())));
    for (const { template } of this.#goldens.values()) {
      await attempt(() => workshop.demolish(template));
      if (!workshop.held.includes(template.dom.name)) this.#goldens.delete(template.mark.digest);
    }
    // What a call made and could not take back has no handle.
    const known = [
      ...this.#machines,
      ...[...this.#goldens.values()].map(({ template }) => ({ id: template.dom.name })),
    ];
    const names = new Set(known.map(({ id }) => id));
    for (const name of workshop.held.filter((held) => !names.has(held)))
      await attempt(() => workshop.demolishNamed(name));
    if (this.#session.everOpened) await attempt(() => workshop.storage.removeIfEmpty());
    await this.#session.close();
    // What could not be removed here, the guardian tries again from outside.
    if (workshop.held.length > 0 || failures.length > 0) this.#guardian?.release();
    else await this.#guardian?.dismiss();
    if (failures.length === 0) warnOfLeftBehind(workshop.held, this.#guardian?.patienceMs);
    if (failures.length > 0) throw leftBehind(workshop.held, failures, this.#guardian?.patienceMs);
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

  /** The domain of a record, when it still is the one that was listed. A domain without our mark is never touched. */
  async #find(record: MachineRecord, options: CallOptions): Promise<MarkedDomain> {
    const found = await this.#workshop.find(record.id, options);
    const { pool, instance } = record.owner;
    if (found?.mark.owner.pool !== pool || found.mark.owner.instance !== instance) throw goneFrom(record);
    return found;
  }

  #requireAlive(): void {
    if (this.#isDisposed) throw disposedError();
  }
}

function goneFrom({ id, owner: { pool } }: MachineRecord): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_GONE', `the host has no machine ${id} of pool ${pool}`, {
    details: { machine: id, pool },
  });
}
