import type { Clock } from '../driver/clock.ts';
import { systemClock } from '../driver/clock.ts';
import type { Driver, DriverCapabilities } from '../driver/driver.ts';
import { WarmvmError } from '../driver/error.ts';
import type { GoldenImage, GoldenSnapshot } from '../driver/image.ts';
import type { MachineId } from '../driver/machine.ts';
import type { MachineRecord } from '../driver/owner.ts';
import { type StubAnswer, type StubCall, type StubCallKind, StubCalls } from './stub-call.ts';
import { StubMachine } from './stub-machine.ts';

/** Options of {@link createStubDriver}. */
export interface StubDriverOptions {
  /** Time for answers that are delayed. @default systemClock */
  readonly clock?: Clock;
  /** Changes to the manifest; by default it resets memory, pushes events, has a guest agent and forks eight at a time. */
  readonly capabilities?: Partial<DriverCapabilities>;
  /** Whether a call that is aborted rejects at once, rather than go on as if nothing was. @default true */
  readonly honoursAbort?: boolean;
  /** What `list` finds; `remove` takes out of it. @default [] */
  readonly records?: readonly MachineRecord[];
}

/** A driver that does exactly as the test tells it. */
export interface StubDriver extends Driver {
  /** May be switched while calls are under way; holds for calls made after. */
  honoursAbort: boolean;
  /** What `list` finds. */
  records: MachineRecord[];
  /** Every machine that was forked and not yet disposed. */
  readonly machines: ReadonlyMap<MachineId, StubMachine>;
  /** Machines ever made, disposed ones included, in order. */
  readonly forked: readonly StubMachine[];
  /** Machines and forks under way at present, and the most there ever were. */
  readonly footprints: number;
  readonly peakFootprints: number;
  /** Sets how calls of a kind go from now on: one answer, or one by the number of the call among its kind. */
  answer(kind: StubCallKind, answer: StubAnswer | ((index: number) => StubAnswer)): void;
  /** Calls so far, in order. */
  calls(kind?: StubCallKind): readonly StubCall[];
  /** Calls that are not settled, in order. */
  pending(kind?: StubCallKind): readonly StubCall[];
  /** Breaks every watch with `WARMVM_HOST_LOST` and lets every later call of these kinds reject with it. */
  loseHost(kinds?: readonly StubCallKind[]): void;
}

const defaultCapabilities: DriverCapabilities = {
  reset: 'memory',
  stateEvents: true,
  guestAgent: true,
  forkCost: 'constant',
  concurrentForks: 8,
  survivesReconnect: false,
};

/** A golden image for tests that never read its files. */
export const stubImage: GoldenImage = {
  name: 'stub',
  digest: `sha256:${'0'.repeat(64)}`,
  architecture: 'x86_64',
  boot: {
    kind: 'disk',
    disk: { path: '/nowhere/disk.raw', digest: `sha256:${'1'.repeat(64)}`, sizeBytes: 1 },
    format: 'raw',
    diskBytes: 1_048_576,
  },
  memoryBytes: 67_108_864,
  virtualCpus: 1,
  network: 'none',
};

/** Makes a driver without a hypervisor. Every call goes well at once until the test says otherwise. */
export function createStubDriver(options: StubDriverOptions = {}): StubDriver {
  const answers = new Map<StubCallKind, StubAnswer | ((index: number) => StubAnswer)>();
  const machines = new Map<MachineId, StubMachine>();
  const forked: StubMachine[] = [];
  let forksUnderWay = 0;
  let peakFootprints = 0;
  const answerOf = (kind: StubCallKind, index: number): StubAnswer => {
    const answer = answers.get(kind) ?? 'resolve';
    return typeof answer === 'function' ? answer(index) : answer;
  };
  const calls = new StubCalls(options.clock ?? systemClock, () => driver.honoursAbort, answerOf);
  const makeMachine = (generation?: number): StubMachine => {
    const id = `machine-${forked.length + 1}`;
    const machine = new StubMachine(id, calls, () => machines.delete(id), generation);
    forked.push(machine);
    machines.set(id, machine);
    return machine;
  };
  const driver: StubDriver = {
    specificationVersion: 1,
    name: 'stub',
    capabilities: { ...defaultCapabilities, ...options.capabilities },
    honoursAbort: options.honoursAbort ?? true,
    records: [...(options.records ?? [])],
    machines,
    forked,
    get footprints() {
      return machines.size + forksUnderWay;
    },
    get peakFootprints() {
      return peakFootprints;
    },
    answer: (kind, answer) => {
      answers.set(kind, answer);
    },
    calls: (kind) => calls.of(kind),
    pending: (kind) => calls.of(kind).filter((call) => call.settled === 'no'),
    loseHost: (kinds = ['prepare', 'fork', 'list', 'remove', 'ping', 'state', 'reset', 'probe']) => {
      const lost = (): WarmvmError => new WarmvmError('WARMVM_HOST_LOST', 'the stub lost its host');
      for (const kind of kinds) answers.set(kind, () => ({ reject: lost() }));
      for (const machine of machines.values()) machine.failWatches(lost());
    },
    prepare: (image, callOptions) =>
      calls.make(
        'prepare',
        null,
        callOptions.signal,
        (): GoldenSnapshot => ({ digest: image.digest, host: 'stub', image }),
      ),
    fork: (_golden, callOptions) => {
      forksUnderWay += 1;
      peakFootprints = Math.max(peakFootprints, machines.size + forksUnderWay);
      const ended = (): void => {
        forksUnderWay -= 1;
      };
      try {
        const made = (): StubMachine => {
          ended();
          return makeMachine();
        };
        return calls.make('fork', null, callOptions.signal, made, ended);
      } catch (error) {
        ended();
        throw error;
      }
    },
    list: (owner, callOptions) =>
      calls.make('list', null, callOptions?.signal, () =>
        driver.records.filter((record) => record.owner.pool === owner.pool),
      ),
    adopt: (record, callOptions) =>
      calls.make('adopt', record.id, callOptions.signal, () => makeMachine(record.generation)),
    remove: (record, callOptions) =>
      calls.make('remove', record.id, callOptions?.signal, () => {
        driver.records = driver.records.filter((kept) => kept !== record);
      }),
    ping: (callOptions) =>
      calls.make('ping', null, callOptions?.signal, () => ({
        host: 'stub',
        hypervisor: 'none',
        acceleration: 'none' as const,
        accelerationReason: 'there is no hypervisor',
        memoryBytes: 0,
        virtualCpus: 0,
      })),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...machines.values()].map((machine) => machine[Symbol.asyncDispose]()));
    },
  };
  return driver;
}
