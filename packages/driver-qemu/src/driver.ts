import {
  type CallOptions,
  type Driver,
  type DriverCapabilities,
  type ForkOptions,
  fromSystemError,
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
  retryableDispose,
  WarmvmError,
} from '@warmvm/core/driver';
import { adoptMachine } from './adopt.ts';
import { demolish } from './demolish.ts';
import { disposedError, forkFailure, notRemoved } from './driver-errors.ts';
import { obtainGolden, type QemuGolden, removeGolden } from './golden/goldens.ts';
import { requireUnchanged } from './golden/template.ts';
import { FolderWatch } from './home/folder-watch.ts';
import type { Mark } from './home/mark.ts';
import { isSameOwner } from './home/state-folder.ts';
import { QemuMachine } from './machine.ts';
import { parseOptions, type QemuDriverOptions } from './options.ts';
import { sweepDeadOwners } from './state-directory/sweep.ts';
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
  readonly #disposeOnce: () => Promise<void>;
  #losing = new AbortController();
  #lost: WarmvmError | undefined;
  #isDisposed = false;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    this.#disposeOnce = retryableDispose(() => this.#dispose());
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
    await this.#sweep();
    const golden = await obtainGolden(this.#workshop, image, options).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw fromSystemError(error, `the golden snapshot of image ${image.name} could not be made`);
    });
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
    const { digest, name } = known;
    const mark = { kind: 'machine', owner, generation: 1, digest, golden: name, process: null } as const;
    const home = await state.create(mark).catch((cause: unknown) => {
      throw forkFailure(cause, { digest, leftBehind: [] });
    });
    const onDispose = (gone: QemuMachine): boolean => this.#machines.delete(gone);
    const machine = new QemuMachine({ workshop: this.#workshop, supply: known.supply, home, generation: 1, onDispose });
    // In the set from now on: what a failed fork cannot take back, dispose of the driver tries again.
    this.#machines.add(machine);
    try {
      await this.#workshop.atWork(() => machine.start(signal));
      return machine;
    } catch (cause) {
      const left = await machine[Symbol.asyncDispose]().then(
        () => false,
        () => true,
      );
      if (!left) signal.throwIfAborted();
      throw forkFailure(cause, { id: home.id, digest, leftBehind: left ? [home.id] : [] });
    }
  }

  async list(owner: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    return (await this.listAll(options)).filter((record) => record.owner.pool === owner.pool);
  }

  async listAll(options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    options.signal?.throwIfAborted();
    await this.#look();
    const { state } = this.#workshop;
    const marks = await state.list().catch((error: unknown) => {
      throw fromSystemError(error, `the marks in ${state.path} could not be read`);
    });
    return marks.map((mark) => state.recordOf(mark)).filter((record) => record !== undefined);
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    return this.#track(options, (tracked) => this.#adopt(record, tracked));
  }

  async #adopt(record: MachineRecord, options: ForkOptions & { readonly signal: AbortSignal }): Promise<Machine> {
    const onDispose = (gone: QemuMachine): boolean => this.#machines.delete(gone);
    const machine = await adoptMachine(this.#workshop, record, { ...options, onDispose });
    this.#machines.add(machine);
    return machine;
  }

  remove(record: MachineRecord, options: CallOptions = {}): Promise<void> {
    return this.#track(options, () =>
      this.#workshop.state.withMark(record.id, async (mark) => {
        if (mark !== undefined && isSameOwner(mark.owner, record.owner)) await demolish(this.#workshop, mark);
      }),
    );
  }

  async ping(options: CallOptions = {}): Promise<HostReport> {
    options.signal?.throwIfAborted();
    await this.#look();
    // What machines run on, where there may be some; else what they would by themselves.
    const [golden] = this.#goldens.values();
    return this.#workshop.report(golden?.image.architecture ?? hostArchitecture(), options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    return this.#disposeOnce();
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
      if (this.#lost !== undefined) throw this.#lost;
      throw signal.aborted || options.signal?.aborted ? error : fromSystemError(error, 'the call failed');
    } finally {
      this.#underWay.delete(running);
    }
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

  /** What cannot be removed now is in the list, for the sweep of its pool. */
  async #sweep(): Promise<void> {
    const { state } = this.#workshop;
    const remove = (mark: Mark): Promise<void> => demolish(this.#workshop, mark);
    await sweepDeadOwners(state, { keepRunning: true, remove }).catch(() => {});
  }

  /** Looks whether the host is there. Makes nothing, and removes nothing. */
  async #look(): Promise<void> {
    this.#requireAlive();
    this.#watch.look();
    if (this.#watch.isWatching || this.#lost === undefined) return;
    if (!(await this.#workshop.state.isThere())) throw this.#lost;
  }

  async #open(): Promise<void> {
    await this.#look();
    if (this.#watch.isWatching) return;
    await this.#workshop.state.open();
    this.#requireAlive();
    this.#lost = undefined;
    this.#watch.begin();
  }

  #lose(error: WarmvmError): void {
    this.#lost = error;
    this.#losing.abort(error);
    this.#losing = new AbortController();
    for (const { supply } of this.#goldens.values()) this.#workshop.later(() => supply.close());
    this.#goldens.clear();
    for (const machine of this.#machines) machine.lose(error);
  }

  /** Each step is tried, whatever became of those before: what stays is what could not be removed, and a retry finds it. */
  async #dispose(): Promise<void> {
    this.#ending.abort(disposedError());
    await Promise.allSettled(this.#underWay);
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((error: unknown) => failures.push(error));
    };
    await Promise.all([...this.#machines].map((machine) => attempt(() => machine[Symbol.asyncDispose]())));
    for (const golden of this.#goldens.values()) {
      await attempt(async () => {
        await golden.supply.close();
        await removeGolden(this.#workshop, golden.home, golden.name);
        this.#goldens.delete(golden.digest);
      });
    }
    await attempt(() => this.#workshop.close());
    this.#watch.end();
    if (failures.length > 0) throw notRemoved(failures);
  }

  #requireAlive(): void {
    if (this.#isDisposed) throw disposedError();
  }
}
