import type { Clock, GoldenImage, MachineId, MachineRecord, MachineState, OwnerTag } from '@warmvm/core/driver';
import type { GuestWorld } from './guest-world.ts';
import type { Journal, JournalFact } from './journal.ts';
import { type MachineEvent, nextMachineState } from './machine-state.ts';

/** A golden snapshot as it lies on the host. */
export interface HostGolden {
  readonly id: string;
  readonly image: GoldenImage;
  /** What was frozen and the guest's time at that moment; null while it is being made. */
  frozen: { readonly world: GuestWorld; readonly guestTimeMs: number } | null;
}

/** A change of state as the host knows it, at the moment it happens. */
export interface HostChange {
  readonly state: MachineState;
  readonly reason: string;
  readonly generation: number;
  /** True for the last one: the host has forgotten the machine. */
  readonly gone: boolean;
}

/** A machine as it exists on the host. */
export interface HostMachine {
  readonly id: MachineId;
  readonly memoryBytes: number;
  /** The golden snapshot that it was forked from. */
  readonly golden: HostGolden | null;
  /** Null until the fork got so far. */
  digest: string | null;
  generation: number;
  state: MachineState;
  reason: string;
  /** Null until the guest runs for the first time. */
  world: GuestWorld | null;
  /** Aborted when what runs in the guest has ended: crash, shutdown, revert or removal. */
  life: AbortController;
  /** Connection that the machine dies with, or null. */
  boundTo: symbol | null;
  readonly listeners: Set<(change: HostChange) => void>;
}

/** What a new machine is made from. */
export type NewMachine = Pick<HostMachine, 'id' | 'memoryBytes' | 'golden' | 'boundTo'>;

/** Everything on a host: marks, golden snapshots and machines. Each change is written to the journal. */
export class HostStore {
  readonly clock: Clock;
  readonly marks: Map<string, OwnerTag> = new Map();
  readonly goldens: Map<string, HostGolden> = new Map();
  readonly machines: Map<MachineId, HostMachine> = new Map();
  readonly #journal: Journal;

  constructor(clock: Clock, journal: Journal) {
    this.clock = clock;
    this.#journal = journal;
  }

  /** Writes or replaces the mark of an object, made or yet to be made. */
  writeMark(id: string, owner: OwnerTag): void {
    this.marks.set(id, structuredClone(owner));
    this.#fact('mark-written', id);
  }

  removeMark(id: string): void {
    if (this.marks.delete(id)) this.#fact('mark-removed', id);
  }

  addGolden(id: string, image: GoldenImage): HostGolden {
    const golden: HostGolden = { id, image, frozen: null };
    this.goldens.set(id, golden);
    this.#fact('golden-created', id);
    return golden;
  }

  freezeGolden(golden: HostGolden, world: GuestWorld): void {
    golden.frozen = { world, guestTimeMs: world.timeMs(this.clock) };
    this.#fact('golden-frozen', golden.id);
  }

  removeGolden(id: string): void {
    if (this.goldens.delete(id)) this.#fact('golden-removed', id);
  }

  addMachine(made: NewMachine): HostMachine {
    const machine: HostMachine = {
      ...made,
      digest: null,
      generation: 1,
      state: 'starting',
      reason: 'booted',
      world: null,
      life: new AbortController(),
      listeners: new Set(),
    };
    this.machines.set(machine.id, machine);
    this.#fact('machine-created', machine.id, machine);
    return machine;
  }

  /** Lets something happen to a machine. False when it cannot happen in its state. */
  apply(machine: HostMachine, event: MachineEvent, reason: string = event): boolean {
    const state = nextMachineState(machine.state, event);
    if (state === undefined) return false;
    machine.state = state;
    machine.reason = reason;
    if (event !== 'started' && event !== 'paused' && event !== 'resumed') {
      machine.life.abort();
      machine.world?.processes.clear();
    }
    if (event === 'started') machine.life = new AbortController();
    this.#fact('state-changed', machine.id, machine);
    this.#tell(machine, false);
    return true;
  }

  /** Takes a machine off the host, whatever its state; its mark stays. */
  removeMachine(id: MachineId): void {
    const machine = this.machines.get(id);
    if (machine === undefined) return;
    this.machines.delete(id);
    machine.state = 'stopped';
    machine.reason = 'destroyed';
    machine.life.abort();
    this.#fact('machine-removed', id, machine);
    this.#tell(machine, true);
    machine.listeners.clear();
  }

  /** The record of whatever carries this mark; null where there is no mark. */
  record(id: string): MachineRecord | null {
    const owner = this.marks.get(id);
    if (owner === undefined) return null;
    const golden = this.goldens.get(id);
    if (golden !== undefined) {
      const made = golden.frozen !== null;
      const digest = made ? golden.image.digest : null;
      return { id, kind: 'golden', owner, generation: 0, digest, state: made ? 'stopped' : 'starting' };
    }
    const machine = this.machines.get(id);
    if (machine === undefined) {
      const kind = id.startsWith('golden-') ? 'golden' : 'machine';
      return { id, kind, owner, generation: 0, digest: null, state: 'unknown' };
    }
    const { generation, digest, state } = machine;
    return { id, kind: 'machine', owner, generation, digest, state };
  }

  #tell(machine: HostMachine, gone: boolean): void {
    const { state, reason, generation } = machine;
    for (const listener of [...machine.listeners]) listener({ state, reason, generation, gone });
  }

  #fact(fact: JournalFact['fact'], id: string | null, machine?: HostMachine): void {
    this.#journal.write({
      kind: 'fact',
      fact,
      id,
      state: machine?.state ?? null,
      generation: machine?.generation ?? null,
    });
  }
}
