import {
  aClock,
  type Clock,
  checkOptions,
  type HostReport,
  type MachineId,
  type MachineState,
  type OptionRule,
  type OptionRules,
  type OwnerTag,
  systemClock,
  WarmvmError,
  wholeNumber,
} from '@warmvm/core/driver';
import { hostLost } from './errors.ts';
import { type HostMachine, HostStore } from './host-store.ts';
import { Journal, type JournalEntry } from './journal.ts';
import type { MachineEvent } from './machine-state.ts';
import { aShortText } from './short-text.ts';

/** Options of {@link createFakeHost}. */
export interface FakeHostOptions {
  /** Name in reports, records and errors. @default 'fake-host' */
  readonly name?: string;
  /** Time of the host. @default systemClock */
  readonly clock?: Clock;
  /** Memory for machines; a fork over it fails. @default 68719476736 (64 GiB) */
  readonly memoryBytes?: number;
  /** Machines that fit, dying ones included; a fork over it fails. @default 1000 */
  readonly maxMachines?: number;
  /** Processors reported by `ping`. @default 8 */
  readonly virtualCpus?: number;
  /** Entries that the journal keeps. @default 10000 */
  readonly journalEntries?: number;
}

/** Count of everything on a host. */
export interface HostObjects {
  readonly marks: number;
  readonly goldens: number;
  readonly machines: number;
  readonly total: number;
}

/** A machine as an onlooker of the host sees it. */
export interface HostMachineReport {
  readonly id: MachineId;
  readonly state: MachineState;
  readonly generation: number;
  readonly digest: string | null;
  /** Null when it carries no mark. */
  readonly owner: OwnerTag | null;
}

/** A hypervisor in memory. Drivers connect to it; what it holds outlives them. All of this is for tests: it never waits. */
export interface FakeHost {
  readonly name: string;
  readonly clock: Clock;
  /** False between {@link lose} and {@link restore}. */
  readonly reachable: boolean;
  /** Count of everything on the host; all zero on a clean one. */
  objects(): HostObjects;
  machines(): readonly HostMachineReport[];
  /** Calls and facts with their times, oldest first; bounded by `journalEntries`. */
  journal(): readonly JournalEntry[];
  /** The guest's kernel or the hypervisor's process dies. @throws RangeError when it cannot happen to this machine now */
  crash(machineId: MachineId): void;
  /** The guest shuts itself down. @throws RangeError as {@link crash} */
  stop(machineId: MachineId): void;
  /** Somebody pauses the machine. @throws RangeError as {@link crash} */
  pause(machineId: MachineId): void;
  /** @throws RangeError as {@link crash} */
  resume(machineId: MachineId): void;
  /** Somebody else removes the machine and its mark. @throws RangeError when there is no such machine */
  destroy(machineId: MachineId): void;
  /** Puts a running machine without any mark on the host: nobody's property that no pool may touch. */
  plant(): MachineId;
  /** Every connection to the host breaks, and none can be made until {@link restore}. */
  lose(): void;
  /** Connections can be made again. */
  restore(): void;
  /**
   * Refuses this work from now on, until the result is disposed: for one machine, or for all where none is named. `events` loses
   * every event on its way; the other calls reject.
   */
  refuse(work: RefusedWork, machineId?: MachineId): Disposable;
}

/** Work that a host can refuse. */
export type RefusedWork = 'destroy' | 'state' | 'events' | 'adopt' | 'prepare';

/** A connection that a driver made. */
export interface HostConnection {
  readonly key: symbol;
  /** Aborted with `WARMVM_HOST_LOST` when the connection breaks. */
  readonly lost: AbortSignal;
  /** Breaks this connection alone. */
  cut(): void;
  /** Ends it in an orderly way; nothing is lost by it. */
  close(): void;
}

const atLeast = (least: number): OptionRule => wholeNumber(least, Number.MAX_SAFE_INTEGER);
const HOST_RULES: OptionRules<FakeHostOptions> = {
  name: aShortText,
  clock: aClock,
  memoryBytes: atLeast(1),
  maxMachines: atLeast(0),
  virtualCpus: atLeast(1),
  journalEntries: atLeast(1),
};

/** The implementation behind {@link FakeHost}, with what drivers use. */
export class Hypervisor implements FakeHost {
  readonly name: string;
  readonly clock: Clock;
  readonly store: HostStore;
  readonly log: Journal;
  readonly memoryBytes: number;
  readonly virtualCpus: number;
  readonly #maxMachines: number;
  readonly #connections = new Map<symbol, AbortController>();
  readonly #refusals = new Set<{ readonly work: RefusedWork; readonly machineId: MachineId | undefined }>();
  #reachable = true;
  #made = 0;
  #seeds = 0;

  constructor(options: FakeHostOptions) {
    checkOptions(options, HOST_RULES);
    const { name = 'fake-host', clock = systemClock, memoryBytes = 64 * 1024 ** 3, maxMachines = 1000 } = options;
    this.name = name;
    this.clock = clock;
    this.memoryBytes = memoryBytes;
    this.#maxMachines = maxMachines;
    this.virtualCpus = options.virtualCpus ?? 8;
    this.log = new Journal(clock, options.journalEntries ?? 10_000);
    this.store = new HostStore(this.clock, this.log);
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  objects(): HostObjects {
    const { marks, goldens, machines } = this.store;
    return {
      marks: marks.size,
      goldens: goldens.size,
      machines: machines.size,
      total: marks.size + goldens.size + machines.size,
    };
  }

  machines(): readonly HostMachineReport[] {
    return [...this.store.machines.values()].map(({ id, state, generation, digest }) => {
      return { id, state, generation, digest, owner: this.store.marks.get(id) ?? null };
    });
  }

  journal(): readonly JournalEntry[] {
    return this.log.entries();
  }

  crash(machineId: MachineId): void {
    this.#inflict(machineId, 'crashed', 'panicked');
  }

  stop(machineId: MachineId): void {
    this.#inflict(machineId, 'shut-down', 'shut down by the guest');
  }

  pause(machineId: MachineId): void {
    this.#inflict(machineId, 'paused', 'paused by an operator');
  }

  resume(machineId: MachineId): void {
    this.#inflict(machineId, 'resumed', 'resumed by an operator');
  }

  destroy(machineId: MachineId): void {
    this.#machine(machineId);
    this.store.removeMachine(machineId);
    this.store.removeMark(machineId);
  }

  plant(): MachineId {
    const id = this.nextId('foreign');
    const machine = this.store.addMachine({ id, memoryBytes: 1, golden: null, boundTo: null });
    this.store.apply(machine, 'started');
    return id;
  }

  lose(): void {
    if (!this.#reachable) return;
    this.#reachable = false;
    this.log.write({ kind: 'fact', fact: 'host-lost', id: null, state: null, generation: null });
    for (const key of [...this.#connections.keys()]) this.#cut(key);
  }

  restore(): void {
    if (this.#reachable) return;
    this.#reachable = true;
    this.log.write({ kind: 'fact', fact: 'host-restored', id: null, state: null, generation: null });
  }

  refuse(work: RefusedWork, machineId?: MachineId): Disposable {
    const refusal = { work, machineId };
    this.#refusals.add(refusal);
    return { [Symbol.dispose]: () => void this.#refusals.delete(refusal) };
  }

  /** Whether the host refuses this work now. */
  isRefused(work: RefusedWork, machineId: MachineId | null): boolean {
    return [...this.#refusals].some((each) => each.work === work && [undefined, machineId].includes(each.machineId));
  }

  /** @throws WarmvmError WARMVM_HOST_UNREACHABLE while the host is lost */
  connect(): HostConnection {
    if (!this.#reachable) {
      throw new WarmvmError('WARMVM_HOST_UNREACHABLE', `Host ${this.name} cannot be reached`, {
        retryable: true,
        details: { host: this.name },
        cause: new Error('connect ECONNREFUSED'),
      });
    }
    const key = Symbol('connection');
    const controller = new AbortController();
    this.#connections.set(key, controller);
    return {
      key,
      lost: controller.signal,
      cut: () => this.#cut(key),
      close: () => this.#connections.delete(key),
    };
  }

  /** An id that was never given before. */
  nextId(kind: 'machine' | 'golden' | 'foreign'): string {
    this.#made += 1;
    return `${kind}-${this.#made}`;
  }

  /** A seed that no driver of this host got before; the same in every run. */
  nextSeed(): number {
    this.#seeds += 1;
    return this.#seeds;
  }

  /** Why a machine of this size does not fit now, or null when it does. */
  refuses(memoryBytes: number): string | null {
    const machines = [...this.store.machines.values()];
    if (machines.length >= this.#maxMachines) return `the host holds its ${this.#maxMachines} machines`;
    const usedBytes = machines.reduce((total, machine) => total + machine.memoryBytes, 0);
    if (usedBytes + memoryBytes <= this.memoryBytes) return null;
    return `cannot allocate ${memoryBytes} bytes: ${usedBytes} of ${this.memoryBytes} are used`;
  }

  report(): HostReport {
    return {
      host: this.name,
      hypervisor: 'warmvm in-memory hypervisor',
      acceleration: 'none',
      accelerationReason: 'nothing is executed: guests are simulated in memory',
      memoryBytes: this.memoryBytes,
      virtualCpus: this.virtualCpus,
    };
  }

  #cut(key: symbol): void {
    const controller = this.#connections.get(key);
    if (controller === undefined) return;
    this.#connections.delete(key);
    for (const machine of [...this.store.machines.values()]) {
      if (machine.boundTo !== key) continue;
      this.store.removeMachine(machine.id);
      this.store.removeMark(machine.id);
    }
    controller.abort(hostLost(this.name));
  }

  #machine(id: MachineId): HostMachine {
    const machine = this.store.machines.get(id);
    if (machine !== undefined) return machine;
    throw new RangeError(`machineId must name a machine on ${this.name}, got ${JSON.stringify(id)}`);
  }

  #inflict(id: MachineId, event: MachineEvent, reason: string): void {
    const machine = this.#machine(id);
    if (this.store.apply(machine, event, reason)) return;
    throw new RangeError(`${id} cannot become ${event}: it is ${machine.state}`);
  }
}

/**
 * A hypervisor in memory that drivers connect to, also those of different pools and processes-to-be.
 * @throws TypeError or RangeError for a bad option
 */
export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  return new Hypervisor(options);
}
