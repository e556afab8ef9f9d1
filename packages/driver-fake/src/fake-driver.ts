import {
  type CallOptions,
  type Driver,
  type DriverCapabilities,
  type ForkOptions,
  type GoldenImage,
  type GoldenSnapshot,
  type HostReport,
  isWarmvmError,
  type Machine,
  type MachineRecord,
  type OwnerTag,
  type PrepareOptions,
  retryableDispose,
  WarmvmError,
} from '@warmvm/core/driver';
import { type CallFacts, Calls, type RunningCall } from './calls.ts';
import { checkOwner, checkPool, type DriverContext } from './context.ts';
import { ArgumentError } from './errors.ts';
import { FakeMachine } from './fake-machine.ts';
import { GoldenMaker } from './golden-maker.ts';
import type { FakeHost } from './host.ts';
import type { HostGolden, HostMachine } from './host-store.ts';
import { Link } from './link.ts';
import { forkMachine } from './machine-fork.ts';
import { adoptable, removable } from './machine-takeover.ts';
import { type FakeDriverOptions, parseOptions } from './options.ts';

/** The reference driver: everything of the contract, in memory. */
export interface FakeDriver extends Driver {
  /** The hypervisor that it is connected to. */
  readonly host: FakeHost;
  /**
   * As if the process that holds this driver were killed: calls under way and all later ones reject with
   * `WARMVM_HOST_LOST`, dispose touches nothing, and what the driver made stays on the host with its marks.
   */
  abandon(): void;
  /** Lets every call that hangs by a fault go on; says how many there were. */
  resumeHung(): number;
}

class MemoryDriver implements FakeDriver {
  readonly specificationVersion = 1;
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  readonly host: FakeHost;
  readonly #context: DriverContext;
  readonly #goldens: GoldenMaker;
  readonly #machines = new Set<FakeMachine>();
  readonly #disposeOnce = retryableDispose(() => this.#dispose());

  constructor(options: FakeDriverOptions) {
    const parsed = parseOptions(options);
    const { host, clock, capabilities, latencies, faults, random, name, acceptUnrenewable, parts } = parsed;
    const link = new Link(host);
    const calls = new Calls({ name, clock, journal: host.log, latencies, faults, random, parts, link, host });
    this.name = name;
    this.capabilities = capabilities;
    this.host = host;
    const { store } = host;
    this.#context = { host, store, clock, calls, link, parts, capabilities, random, acceptUnrenewable };
    this.#goldens = new GoldenMaker(this.#context);
  }

  prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot> {
    const facts = { operation: 'prepare', latency: 'prepareMs', digest: image?.digest } as const;
    return this.#run(facts, options, (call) =>
      this.#goldens.prepare(call, image, checkOwner(options?.owner), options.onProgress),
    );
  }

  fork(golden: GoldenSnapshot, options: ForkOptions): Promise<Machine> {
    const facts = { operation: 'fork', latency: 'forkMs', digest: golden?.digest } as const;
    return this.#run(facts, options, async (call) => {
      const owner = checkOwner(options?.owner);
      const found = golden?.host === this.host.name ? this.#goldens.find(golden.digest) : undefined;
      return this.#hold(await forkMachine(this.#context, call, golden, found, owner), owner);
    });
  }

  list(owner: Pick<OwnerTag, 'pool'>, options: CallOptions = {}): Promise<readonly MachineRecord[]> {
    return this.#run({ operation: 'list', latency: 'listMs' }, options, async ({ pace, signal }) => {
      const { store, parts } = this.#context;
      checkPool(owner?.pool);
      await pace.stage(null, 1, signal);
      const records = [...store.marks.keys()].map((id) => store.record(id)).filter((record) => record !== null);
      return records.filter((record) => parts.belongs(record, owner.pool)).map((record) => structuredClone(record));
    });
  }

  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine> {
    const facts = { operation: 'adopt', latency: 'adoptMs', machineId: record?.id } as const;
    return this.#run(facts, options, async ({ pace, signal, connection }) => {
      const owner = checkOwner(options?.owner);
      adoptable(this.#context.store, record);
      await pace.stage(null, 1, signal);
      // Looked at again: what was true before the wait may have been changed by another process.
      const machine = adoptable(this.#context.store, record);
      this.#context.parts.mark(this.#context.store, machine.id, owner);
      machine.boundTo = this.capabilities.survivesReconnect ? null : connection.key;
      return this.#hold(machine, owner);
    });
  }

  remove(record: MachineRecord, options: CallOptions = {}): Promise<void> {
    const facts = { operation: 'remove', latency: 'removeMs', machineId: record?.id } as const;
    return this.#run(facts, options, async ({ pace, signal }) => {
      const { store, parts } = this.#context;
      if (typeof record?.id !== 'string') throw new ArgumentError('record must come from list');
      if (!removable(store, record)) return pace.stage('stop', 1, signal);
      const machine = store.machines.get(record.id);
      if (machine !== undefined) store.apply(machine, 'destroying');
      await pace.stage('stop', 1, signal);
      if (!removable(store, record)) return;
      parts.destroy(store, record.id);
      await pace.stage('unmark', 1, signal);
      parts.unmark(store, record.id);
    });
  }

  ping(options: CallOptions = {}): Promise<HostReport> {
    return this.#run({ operation: 'ping', latency: 'pingMs' }, options, async ({ pace, signal }) => {
      await pace.stage(null, 1, signal);
      return this.#context.host.report();
    });
  }

  abandon(): void {
    this.#context.link.abandon();
  }

  resumeHung(): number {
    return this.#context.calls.resumeHung();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposeOnce();
  }

  #run<Result>(
    facts: CallFacts,
    options: CallOptions | undefined,
    body: (call: RunningCall) => Promise<Result>,
  ): Promise<Result> {
    return this.#context.calls.run(facts, { user: options?.signal }, body);
  }

  #hold(machine: HostMachine, owner: OwnerTag): Machine {
    const handle = new FakeMachine(this.#context, machine, owner, (gone) => this.#machines.delete(gone));
    this.#machines.add(handle);
    return handle;
  }

  async #dispose(): Promise<void> {
    const { link, calls } = this.#context;
    link.close();
    // Calls that are given up take back what they made; only then is it known which machines there are.
    await calls.settled();
    const machines = await Promise.allSettled(
      [...this.#machines].map(async (machine) => machine[Symbol.asyncDispose]()),
    );
    // Golden snapshots last: machines may lean on them until they are gone.
    const goldens = await Promise.allSettled(this.#goldens.made.map((golden) => this.#removeGolden(golden)));
    const failures = [...machines, ...goldens].filter(({ status }) => status === 'rejected');
    const leftBehind = [...[...this.#machines].map(({ id }) => id), ...this.#goldens.made.map(({ id }) => id)];
    if (leftBehind.length > 0 && !link.down) {
      const reasons = failures.map((failure) => (failure as PromiseRejectedResult).reason);
      throw new WarmvmError('WARMVM_HOST_OPERATION', `Dispose of ${this.name} left ${leftBehind.join(', ')} behind`, {
        retryable: true,
        details: { leftBehind },
        cause: reasons.length === 1 ? reasons[0] : new AggregateError(reasons),
      });
    }
    link.disconnect();
  }

  async #removeGolden(golden: HostGolden): Promise<void> {
    const { calls, store, parts, link } = this.#context;
    const facts = { operation: 'destroy', latency: 'destroyMs', machineId: golden.id } as const;
    try {
      await calls.run(facts, { ignoresClosing: true }, async ({ pace, signal }) => {
        await pace.stage('stop', 1, signal);
        parts.destroy(store, golden.id);
        await pace.stage('unmark', 1, signal);
        parts.unmark(store, golden.id);
      });
      this.#goldens.forget(golden);
    } catch (error) {
      if (!isWarmvmError(error, 'WARMVM_HOST_LOST') || !link.down) throw error;
    }
  }
}

/**
 * A driver on a hypervisor in memory. It keeps every sentence of the contract; latency and faults are scripted.
 * @throws TypeError or RangeError for a bad option
 */
export function createFakeDriver(options: FakeDriverOptions = {}): FakeDriver {
  return new MemoryDriver(options);
}
