import { randomUUID } from 'node:crypto';
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
import type { Shoebox, Vm } from './hypervisor.ts';
import { type Keeper, ShoeboxMachine } from './machine.ts';
import { isAbsent, mapError } from './map-error.ts';
import { type Mark, markOf, notesOf } from './mark.ts';

const HOST = 'shoebox';

/** A golden snapshot and the machine that holds its disk. */
interface Golden {
  readonly snapshot: GoldenSnapshot;
  readonly name: string;
}

// #region options
/** Options of {@link createShoeboxDriver}. */
export interface ShoeboxDriverOptions {
  readonly shoebox: Shoebox;
  /** Forks at a time. @default 2 */
  readonly concurrentForks?: number;
}

/** @throws TypeError, RangeError for bad options */
export function createShoeboxDriver({ shoebox, concurrentForks = 2 }: ShoeboxDriverOptions): Driver {
  if (typeof shoebox !== 'object' || shoebox === null) throw new TypeError('options.shoebox must be a shoebox');
  if (!Number.isSafeInteger(concurrentForks) || concurrentForks < 1) {
    throw new RangeError(`options.concurrentForks must be a whole number from 1, got ${concurrentForks}`);
  }
  return new ShoeboxDriver(shoebox, concurrentForks);
}
// #endregion

class ShoeboxDriver implements Driver {
  readonly specificationVersion = 1;
  readonly name = 'shoebox';
  readonly capabilities: DriverCapabilities;
  readonly #shoebox: Shoebox;
  readonly #preparing = new JoinedJobs<GoldenSnapshot>();
  readonly #goldens = new Map<string, Golden>();
  readonly #machines = new Set<ShoeboxMachine>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  readonly #disposeOnce = retryableDispose(() => this.#dispose());

  constructor(shoebox: Shoebox, concurrentForks: number) {
    this.#shoebox = shoebox;
    // #region manifest
    this.capabilities = {
      reset: 'none',
      stateEvents: false,
      guestAgent: false,
      forkCost: 'boot',
      concurrentForks,
      survivesReconnect: true,
    };
    // #endregion
  }

  // #region prepare
  prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot> {
    return this.#making(options, 'prepare', (signal) =>
      this.#preparing.join(image.digest, signal, (joined) => this.#prepare(image, { ...options, signal: joined })),
    );
  }

  async #prepare(image: GoldenImage, { owner, signal, onProgress }: PrepareOptions): Promise<GoldenSnapshot> {
    const known = this.#goldens.get(image.digest);
    if (known !== undefined && (await this.#shoebox.list()).some(({ name }) => name === known.name)) {
      onProgress?.({ step: 'reuse' });
      return known.snapshot;
    }
    if (image.renewal === undefined) {
      throw new WarmvmError('WARMVM_GOLDEN_INVALID', `image ${image.name} has no renewal command`);
    }
    const name = `golden-${randomUUID()}`;
    try {
      onProgress?.({ step: 'upload' });
      // The mark comes first: whatever happens from here on, a sweep finds what is left.
      await this.#shoebox.define(name, notesOf({ kind: 'golden', owner, generation: 0, digest: image.digest }));
      signal?.throwIfAborted();
    } catch (error) {
      await this.#demolish(name);
      throw error;
    }
    const snapshot: GoldenSnapshot = { digest: image.digest, host: HOST, image };
    this.#goldens.set(image.digest, { snapshot, name });
    return snapshot;
  }
  // #endregion

  // #region fork
  fork({ digest }: GoldenSnapshot, options: ForkOptions): Promise<Machine> {
    return this.#making(options, 'fork a machine', (signal) => this.#fork(digest, options.owner, signal));
  }

  async #fork(digest: string, owner: OwnerTag, signal: AbortSignal): Promise<Machine> {
    const missing = (cause?: unknown): WarmvmError =>
      new WarmvmError('WARMVM_GOLDEN_MISSING', `there is no golden snapshot ${digest}`, { cause, details: { digest } });
    const golden = this.#goldens.get(digest);
    if (golden === undefined) throw missing();
    const name = `machine-${randomUUID()}`;
    try {
      await this.#shoebox.define(name, notesOf({ kind: 'machine', owner, generation: 1, digest }));
      signal.throwIfAborted();
      await this.#shoebox.boot(name, golden.name);
      signal.throwIfAborted();
    } catch (error) {
      await this.#demolish(name);
      throw isAbsent(error) ? missing(error) : error;
    }
    return this.#handle(name, 1, owner);
  }
  // #endregion

  // #region takeover
  async list({ pool }: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    const vms = await this.#asking(options, 'list machines', () => this.#shoebox.list());
    return vms.flatMap((vm) => {
      const mark = markOf(vm);
      if (mark?.owner.pool !== pool) return [];
      return [{ id: vm.name, ...mark, state: ({ on: 'running', off: 'stopped', dead: 'crashed' } as const)[vm.power] }];
    });
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    return this.#making(options, `adopt ${record.id}`, async () => {
      if (record.kind === 'golden') {
        throw new WarmvmError('WARMVM_NOT_SUPPORTED', 'golden snapshots cannot be adopted');
      }
      const found = await this.#find(record.id, record.owner);
      if (found === undefined) throw new WarmvmError('WARMVM_MACHINE_GONE', `there is no ${record.id} of that owner`);
      if (found.vm.power !== 'on') throw new WarmvmError('WARMVM_MACHINE_CRASHED', `${record.id} does not run`);
      await this.#shoebox.annotate(record.id, notesOf({ ...found.mark, owner: options.owner }));
      return this.#handle(record.id, found.mark.generation, options.owner);
    });
  }

  remove(record: MachineRecord, options: CallOptions = {}): Promise<void> {
    return this.#asking(options, `remove ${record.id}`, async () => {
      if ((await this.#find(record.id, record.owner)) !== undefined) await this.#demolish(record.id);
    });
  }
  // #endregion

  ping(options: CallOptions = {}): Promise<HostReport> {
    return this.#asking(options, 'reach the shoebox', async () => {
      await this.#shoebox.list();
      const size = { memoryBytes: 2 ** 30, virtualCpus: 1 };
      return {
        host: HOST,
        hypervisor: 'shoebox 1',
        acceleration: 'none',
        accelerationReason: 'it is a shoebox',
        ...size,
      };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposeOnce();
  }

  // #region dispose
  async #dispose(): Promise<void> {
    this.#ending.abort(disposedError());
    await Promise.allSettled(this.#underWay);
    const errors: unknown[] = [];
    // What fails keeps nothing else from being destroyed.
    const attempt = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => {
        const mapped = mapError(error, 'dispose of the driver');
        if (!isWarmvmError(mapped, 'WARMVM_HOST_LOST')) errors.push(mapped);
      });
    await Promise.all([...this.#machines].map((machine) => attempt(machine[Symbol.asyncDispose]())));
    for (const { name } of this.#goldens.values()) await attempt(this.#demolish(name));
    if (errors.length === 0) return;
    throw new WarmvmError('WARMVM_HOST_OPERATION', 'dispose of the driver left something behind; dispose it again', {
      retryable: true,
      cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
    });
  }
  // #endregion

  /** The machine by that name, if its mark names this owner. */
  async #find(
    name: string,
    { pool, instance }: OwnerTag,
  ): Promise<{ readonly vm: Vm; readonly mark: Mark } | undefined> {
    const vm = (await this.#shoebox.list()).find((candidate) => candidate.name === name);
    const mark = vm === undefined ? undefined : markOf(vm);
    if (vm === undefined || mark?.owner.pool !== pool || mark.owner.instance !== instance) return undefined;
    return { vm, mark };
  }

  /** The mark goes with the definition, which is last. Absent is success. */
  async #demolish(name: string): Promise<void> {
    try {
      await this.#shoebox.stop(name);
      await this.#shoebox.undefine(name);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  #handle(id: string, generation: number, owner: OwnerTag): Machine {
    const keeper: Keeper = {
      power: (name, options) => this.#asking(options, `look at ${name}`, () => this.#shoebox.power(name)),
      destroy: async (name) => {
        try {
          if ((await this.#find(name, owner)) !== undefined) await this.#demolish(name);
        } catch (error) {
          throw mapError(error, `destroy ${name}`);
        }
        // Not before it succeeded: until then dispose of the driver tries it too.
        this.#machines.delete(machine);
      },
    };
    const machine = new ShoeboxMachine(id, generation, keeper);
    this.#machines.add(machine);
    return machine;
  }

  // #region calls
  /** A question: nothing is made, so nothing has to be taken back. */
  async #asking<Result>({ signal }: CallOptions, doing: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#ending.signal.aborted) throw disposedError();
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      throw mapError(error, doing);
    }
  }

  /** What makes something: dispose ends it, and waits until it has taken back what it made. */
  #making<Result>(
    options: CallOptions,
    doing: string,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const running = this.#asking(options, doing, () =>
      work(AbortSignal.any([this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])])),
    );
    this.#underWay.add(running);
    const forget = (): boolean => this.#underWay.delete(running);
    running.then(forget, forget);
    return running;
  }
  // #endregion
}

function disposedError(): WarmvmError {
  return new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed');
}
