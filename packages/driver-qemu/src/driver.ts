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
import { obtainGolden, type QemuGolden } from './golden/goldens.ts';
import { requireUnchanged } from './golden/template.ts';
import type { Mark } from './home/mark.ts';
import { QemuMachine } from './machine.ts';
import { parseOptions, type QemuDriverOptions } from './options.ts';
import { Workshop } from './workshop.ts';

/**
 * A driver for QEMU on this computer. Nothing is made or started before the first call.
 *
 * @throws TypeError, RangeError for bad options
 */
export function createQemuDriver(options: QemuDriverOptions = {}): Driver {
  return new QemuDriver(new Workshop(parseOptions(options)));
}

class QemuDriver implements Driver {
  readonly specificationVersion = 1;
  readonly name = 'qemu';
  readonly capabilities: DriverCapabilities;
  readonly #workshop: Workshop;
  readonly #preparing = new JoinedJobs<QemuGolden>();
  readonly #goldens = new Map<string, QemuGolden>();
  readonly #machines = new Set<QemuMachine>();
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #opened: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    this.capabilities = {
      reset: 'memory',
      stateEvents: true,
      guestAgent: true,
      forkCost: 'constant',
      concurrentForks: workshop.options.concurrentForks,
      survivesReconnect: false,
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
    await requireUnchanged(known.template);
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
      const parts = { workshop: this.#workshop, template: known.template, home, generation: 1, onDispose };
      const machine = await QemuMachine.fork(parts, signal);
      this.#machines.add(machine);
      return machine;
    } catch (cause) {
      await state.remove(home);
      signal.throwIfAborted();
      throw forkFailure(cause, home.id, known.digest);
    }
  }

  async list(owner: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    options.signal?.throwIfAborted();
    await this.#open();
    const { state } = this.#workshop;
    const marks = await state.list();
    return marks.filter((mark) => mark.owner.pool === owner.pool).map((mark) => state.recordOf(mark));
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    return this.#track(options, async () => {
      throw new WarmvmError('WARMVM_NOT_SUPPORTED', `${record.id} cannot be adopted`);
    });
  }

  remove(record: MachineRecord, options: CallOptions = {}): Promise<void> {
    return this.#track(options, async () => {
      const mark = await this.#workshop.state.read(record.id);
      const owned =
        mark !== undefined && mark.owner.pool === record.owner.pool && mark.owner.instance === record.owner.instance;
      if (owned) await this.#demolish(mark);
    });
  }

  async ping(options: CallOptions = {}): Promise<HostReport> {
    options.signal?.throwIfAborted();
    await this.#open();
    return (await this.#workshop.host(options)).report;
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
    const signal = AbortSignal.any([this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const running = this.#open().then(() => {
      signal.throwIfAborted();
      return work({ ...options, signal });
    });
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  async #demolish(mark: Mark): Promise<void> {
    const { state } = this.#workshop;
    await state.remove(state.homeOf(mark));
  }

  /** Somebody may have removed what was made, by hand or by a sweep. */
  async #isThere(golden: QemuGolden): Promise<boolean> {
    try {
      await this.#requireRecord(golden);
      await requireUnchanged(golden.template);
      return true;
    } catch (error) {
      if (!isWarmvmError(error, 'WARMVM_GOLDEN_MISSING')) throw error;
      this.#goldens.delete(golden.digest);
      await this.#workshop.state.remove(golden.home);
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
    this.#opened ??= this.#workshop.state.open();
    await this.#opened;
  }

  async #dispose(): Promise<void> {
    this.#ending.abort(disposedError());
    await Promise.allSettled(this.#underWay);
    await Promise.all([...this.#machines].map((machine) => machine[Symbol.asyncDispose]()));
    for (const { home } of this.#goldens.values()) await this.#workshop.state.remove(home);
    this.#goldens.clear();
  }

  #requireAlive(): void {
    if (this.#disposed !== undefined) throw disposedError();
  }
}

function disposedError(): WarmvmError {
  return new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed', { details: { disposed: true } });
}

function forkFailure(cause: unknown, id: string, digest: string): WarmvmError {
  if (isWarmvmError(cause, 'WARMVM_GOLDEN_MISSING') || isWarmvmError(cause, 'WARMVM_HOST_LOST')) return cause;
  return new WarmvmError('WARMVM_FORK_FAILED', `machine ${id} could not be forked`, {
    cause,
    details: { machine: id, digest },
    retryable: !isWarmvmError(cause) || cause.retryable,
  });
}
