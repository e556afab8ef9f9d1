import { join } from 'node:path';
import {
  type CallOptions,
  type Driver,
  type DriverCapabilities,
  type ForkOptions,
  type GoldenImage,
  type GoldenSnapshot,
  type HostReport,
  hostArchitecture,
  isWarmvmError,
  JoinedJobs,
  type Machine,
  type MachineRecord,
  type OwnerTag,
  type PrepareOptions,
  WarmvmError,
} from '@warmvm/core/driver';
import { demolish } from './demolish.ts';
import { disposedError, forkFailure, goneError } from './driver-errors.ts';
import { obtainGolden, type QemuGolden, removeGolden } from './golden/goldens.ts';
import { loadTemplate, requireUnchanged } from './golden/template.ts';
import { FolderWatch } from './home/folder-watch.ts';
import type { Mark } from './home/mark.ts';
import { QemuMachine } from './machine.ts';
import { parseOptions, type QemuDriverOptions } from './options.ts';
import { sweepDeadOwners } from './state-directory/sweep.ts';
import { Supply } from './supply.ts';
import { Workshop } from './workshop.ts';

/**
 * A driver for QEMU on this computer. Nothing is made or started before the first call.
 *
 * @throws TypeError, RangeError for bad options
 */
export function createQemuDriver(options: QemuDriverOptions = {}): Driver {
  return new QemuDriver(new Workshop(parseOptions(options)));
}

/** The driver over parts of one's own, for tests. */
export class QemuDriver implements Driver {
  readonly specificationVersion = 1;
  readonly name = 'qemu';
  readonly capabilities: DriverCapabilities;
  readonly #workshop: Workshop;
  readonly #preparing = new JoinedJobs<QemuGolden>();
  readonly #goldens = new Map<string, QemuGolden>();
  readonly #machines = new Set<QemuMachine>();
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #watch: FolderWatch;
  #losing = new AbortController();
  #lost: WarmvmError | undefined;
  #disposed: Promise<void> | undefined;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    this.#watch = new FolderWatch(workshop.state.path, (error) => this.#lose(error));
    this.capabilities = {
      reset: 'memory',
      stateEvents: true,
      guestAgent: true,
      forkCost: 'constant',
      concurrentForks: workshop.options.concurrentForks,
      survivesReconnect: false,
      standby: workshop.options.standby,
    };
  }

  prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot> {
    return this.#track(options, (tracked) =>
      this.#preparing.join(image.digest, tracked.signal, (signal) => this.#prepare(image, { ...tracked, signal })),
    );
  }

  async #prepare(image: GoldenImage, options: PrepareOptions): Promise<QemuGolden> {
    const made = this.#goldens.get(image.digest);
    if (made !== undefined && (await this.#isThere(made))) {
      options.onProgress?.({ step: 'reuse' });
      return made;
    }
    const golden = await obtainGolden(this.#workshop, image, options);
    this.#goldens.set(image.digest, golden);
    return golden;
  }

  fork(golden: GoldenSnapshot, options: ForkOptions): Promise<Machine> {
    return this.#track(options, (tracked) => this.#fork(golden, tracked));
  }

  async #fork(golden: GoldenSnapshot, options: ForkOptions & { readonly signal: AbortSignal }): Promise<Machine> {
    const known = this.#goldens.get(golden.digest);
    if (known === undefined || known !== golden) {
      throw new WarmvmError('WARMVM_GOLDEN_MISSING', `this driver has no golden snapshot ${golden.digest}`, {
        details: { digest: golden.digest, expected: 'a snapshot that prepare of this driver returned' },
      });
    }
    const { state } = this.#workshop;
    await this.#requireRecord(known);
    options.signal.throwIfAborted();
    const { owner, signal } = options;
    const home = await state.create({
      kind: 'machine',
      owner,
      generation: 1,
      digest: known.digest,
      golden: known.name,
      process: null,
    });
    try {
      const onDispose = (gone: QemuMachine): boolean => this.#machines.delete(gone);
      const parts = { workshop: this.#workshop, supply: known.supply, home, generation: 1, onDispose };
      const machine = await this.#workshop.atWork(() => QemuMachine.fork(parts, signal));
      this.#machines.add(machine);
      return machine;
    } catch (cause) {
      await state.remove(home);
      signal.throwIfAborted();
      throw forkFailure(cause, home.id, known.digest);
    }
  }

  async list(owner: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    return (await this.listAll(options)).filter((record) => record.owner.pool === owner.pool);
  }

  async listAll(options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    options.signal?.throwIfAborted();
    await this.#open();
    const { state } = this.#workshop;
    return (await state.list()).map((mark) => state.recordOf(mark)).filter((record) => record !== undefined);
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    return this.#track(options, (tracked) => this.#adopt(record, tracked));
  }

  async #adopt(
    record: MachineRecord,
    { owner, signal }: ForkOptions & { readonly signal: AbortSignal },
  ): Promise<Machine> {
    const { state } = this.#workshop;
    const mark = await this.#markOf(record);
    if (mark === undefined) throw goneError(record);
    const { id, process, golden, generation } = mark;
    if (mark.kind !== 'machine') {
      throw new WarmvmError('WARMVM_NOT_SUPPORTED', `${id} is a golden snapshot; only machines are adopted`);
    }
    const found = state.recordOf(mark)?.state;
    if (found !== 'running' || process === null || golden === null) {
      throw new WarmvmError('WARMVM_NOT_READY', `machine ${id} cannot be adopted: it is ${found}`, {
        details: { machine: id, state: found, expected: 'running' },
      });
    }
    const template = await loadTemplate(join(state.goldens, golden), { signal });
    if (template === undefined) {
      throw new WarmvmError('WARMVM_NOT_READY', `machine ${id} cannot be adopted: its golden snapshot is gone`, {
        details: { machine: id, golden },
      });
    }
    const home = { ...state.homeOf(mark), owner };
    const onDispose = (gone: QemuMachine): boolean => this.#machines.delete(gone);
    await state.update(state.homeOf(mark), { owner });
    try {
      const supply = new Supply({ workshop: this.#workshop, template, golden });
      const parts = { workshop: this.#workshop, supply, home, generation, process, onDispose };
      const machine = await QemuMachine.adopt(parts, signal);
      this.#machines.add(machine);
      return machine;
    } catch (error) {
      // It stays whose it was, so that a sweep of its owner still finds it.
      await state.update(home, { owner: mark.owner }).catch(() => {});
      throw error;
    }
  }

  remove(record: MachineRecord, options: CallOptions = {}): Promise<void> {
    return this.#track(options, async () => {
      const mark = await this.#markOf(record);
      if (mark !== undefined) await demolish(this.#workshop, mark);
    });
  }

  async ping(options: CallOptions = {}): Promise<HostReport> {
    options.signal?.throwIfAborted();
    await this.#open();
    // What machines run on, where there may be some; else what they would by themselves.
    const [golden] = this.#goldens.values();
    return this.#workshop.report(golden?.image.architecture ?? hostArchitecture(), options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  /** Runs what makes something: dispose ends it and waits until it has taken back what it made. */
  async #track<Options extends CallOptions, Result>(
    options: Options,
    work: (options: Options & { readonly signal: AbortSignal }) => Promise<Result>,
  ): Promise<Result> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const own = [this.#ending.signal, this.#losing.signal];
    const signal = AbortSignal.any(options.signal === undefined ? own : [...own, options.signal]);
    const running = this.#open().then(() => {
      signal.throwIfAborted();
      return work({ ...options, signal });
    });
    this.#underWay.add(running);
    try {
      return await running;
    } catch (error) {
      this.#watch.look();
      throw this.#lost ?? error;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** The mark of a record, when it still is whose it was. */
  async #markOf({ id, owner }: MachineRecord): Promise<Mark | undefined> {
    const mark = await this.#workshop.state.read(id);
    const same = mark?.owner.pool === owner.pool && mark.owner.instance === owner.instance;
    return same ? mark : undefined;
  }

  /** Somebody may have removed what was made, by hand or by a sweep. */
  async #isThere(golden: QemuGolden): Promise<boolean> {
    try {
      await this.#requireRecord(golden);
      await requireUnchanged(golden.supply.template);
      return true;
    } catch (error) {
      if (!isWarmvmError(error, 'WARMVM_GOLDEN_MISSING')) throw error;
      this.#goldens.delete(golden.digest);
      await golden.supply.close();
      await removeGolden(this.#workshop, golden.home, golden.name);
      return false;
    }
  }

  async #requireRecord({ digest, home }: QemuGolden): Promise<void> {
    if (await this.#workshop.state.isOwned(home)) return;
    throw new WarmvmError('WARMVM_GOLDEN_MISSING', `the golden snapshot ${digest} was removed; prepare makes it anew`, {
      cause: new Error(`there is no record ${home.id}`),
      details: { digest },
    });
  }

  async #open(): Promise<void> {
    this.#requireAlive();
    this.#watch.look();
    if (this.#watch.isWatching) return;
    const { state } = this.#workshop;
    if (this.#lost !== undefined && !(await state.isThere())) throw this.#lost;
    await state.open();
    // What cannot be removed now is in the list, for the sweep of its pool.
    await sweepDeadOwners(state, { keepRunning: true, remove: (mark) => demolish(this.#workshop, mark) }).catch(
      () => {},
    );
    this.#requireAlive();
    this.#lost = undefined;
    this.#watch.begin();
  }

  #lose(error: WarmvmError): void {
    this.#lost = error;
    this.#losing.abort(error);
    this.#losing = new AbortController();
    for (const { supply } of this.#goldens.values()) void supply.close().catch(() => {});
    this.#goldens.clear();
    for (const machine of this.#machines) machine.lose(error);
  }

  async #dispose(): Promise<void> {
    this.#ending.abort(disposedError());
    await Promise.allSettled(this.#underWay);
    await Promise.all([...this.#machines].map((machine) => machine[Symbol.asyncDispose]()));
    for (const { home, name, supply } of this.#goldens.values()) {
      await supply.close();
      await removeGolden(this.#workshop, home, name);
    }
    this.#goldens.clear();
    await this.#workshop.close();
    this.#watch.end();
  }

  #requireAlive(): void {
    if (this.#disposed !== undefined) throw disposedError();
  }
}
