import type { PoolHost } from './pool-host.ts';
import { type AnySlotState, Slot, type SlotPhase, type SlotState } from './slot.ts';
import { makeCounts, type SlotCounts, type WritableSlotCounts } from './supply.ts';

/** Told of every move, after it was made. Must not throw. */
export type OnSlotMove = (slot: Slot, from: AnySlotState, to: AnySlotState) => void;

const legalMoves: Readonly<Record<AnySlotState, readonly AnySlotState[]>> = {
  absent: ['creating'],
  creating: ['settling', 'resetting', 'destroying', 'absent'],
  settling: ['ready', 'destroying'],
  ready: ['leased', 'settling', 'resetting', 'destroying'],
  leased: ['resetting', 'destroying'],
  resetting: ['settling', 'destroying'],
  destroying: ['destroying', 'absent', 'quarantined'],
  quarantined: ['destroying', 'absent'],
};

// States are looked up in switches and not by name in an object: with every name there is, that is slow, and it is done five
// times in each turn of a machine. Those of a turn come first, since the cases are tried one by one.
function bitOf(state: AnySlotState): number {
  switch (state) {
    case 'ready':
      return 8;
    case 'leased':
      return 16;
    case 'resetting':
      return 32;
    case 'settling':
      return 4;
    case 'creating':
      return 2;
    case 'destroying':
      return 64;
    case 'quarantined':
      return 128;
    case 'absent':
      return 1;
  }
}

function bitsOf(states: readonly AnySlotState[]): number {
  return states.reduce((bits, state) => bits | bitOf(state), 0);
}

const fromAbsent: number = bitsOf(legalMoves.absent);
const fromCreating: number = bitsOf(legalMoves.creating);
const fromSettling: number = bitsOf(legalMoves.settling);
const fromReady: number = bitsOf(legalMoves.ready);
const fromLeased: number = bitsOf(legalMoves.leased);
const fromResetting: number = bitsOf(legalMoves.resetting);
const fromDestroying: number = bitsOf(legalMoves.destroying);
const fromQuarantined: number = bitsOf(legalMoves.quarantined);

function legalBitsOf(state: AnySlotState): number {
  switch (state) {
    case 'ready':
      return fromReady;
    case 'leased':
      return fromLeased;
    case 'resetting':
      return fromResetting;
    case 'settling':
      return fromSettling;
    case 'creating':
      return fromCreating;
    case 'destroying':
      return fromDestroying;
    case 'quarantined':
      return fromQuarantined;
    case 'absent':
      return fromAbsent;
  }
}

function count(counts: WritableSlotCounts, state: SlotState, by: number): void {
  switch (state) {
    case 'ready':
      counts.ready += by;
      return;
    case 'leased':
      counts.leased += by;
      return;
    case 'resetting':
      counts.resetting += by;
      return;
    case 'settling':
      counts.settling += by;
      return;
    case 'creating':
      counts.creating += by;
      return;
    case 'destroying':
      counts.destroying += by;
      return;
    case 'quarantined':
      counts.quarantined += by;
  }
}

/** Every slot of a pool. The counts, of all and of each host, are changed in one function only, so no gauge can drift from the states. */
export class SlotTable {
  readonly #slots = new Set<Slot>();
  readonly #counts: WritableSlotCounts = makeCounts();
  readonly #onMove: OnSlotMove;
  #nextId = 1;
  #newestReady: Slot | undefined;

  constructor(onMove: OnSlotMove) {
    this.#onMove = onMove;
  }

  get counts(): SlotCounts {
    return this.#counts;
  }

  /** Every footprint. */
  get total(): number {
    return this.#slots.size;
  }

  /** The slots that are there, in order of their making. */
  get slots(): Iterable<Slot> {
    return this.#slots;
  }

  /** The slot that is idle for the shortest time: the one to lend, so that what is too much goes idle. */
  get newestReady(): Slot | undefined {
    return this.#newestReady;
  }

  /** A new slot, in state creating. */
  add(host: PoolHost): Slot {
    host.begun += 1;
    const slot = new Slot(this.#nextId++, host);
    this.move(slot, { kind: 'creating' });
    return slot;
  }

  /**
   * The one function that changes the state of a slot. Without a phase the slot is gone.
   * @throws Error when the move is not a legal one: a fault of the pool itself
   */
  move(slot: Slot, phase: SlotPhase | undefined): void {
    const from = slot.state;
    const to = phase?.kind ?? 'absent';
    if ((legalBitsOf(from) & bitOf(to)) === 0) throw new Error(`slot ${slot.id} cannot go from ${from} to ${to}`);
    const { counts } = slot.host;
    // The only host of a pool counts with the pool.
    const isApart = counts !== this.#counts;
    if (from === 'absent') this.#slots.add(slot);
    else {
      count(this.#counts, from, -1);
      if (isApart) count(counts, from, -1);
    }
    if (from === 'ready') this.#unlink(slot);
    slot.phase = phase;
    slot.state = to;
    slot.moves += 1;
    if (to === 'absent') this.#slots.delete(slot);
    else {
      count(this.#counts, to, 1);
      if (isApart) count(counts, to, 1);
    }
    if (phase?.kind === 'ready') this.#link(slot, phase.sinceMs);
    this.#onMove(slot, from, to);
  }

  #link(slot: Slot, sinceMs: number): void {
    let newer: Slot | undefined;
    let older = this.#newestReady;
    // Only one that comes back from a check has been idle for longer than others.
    while (older?.phase?.kind === 'ready' && older.phase.sinceMs > sinceMs) {
      newer = older;
      older = older.previousReady;
    }
    slot.previousReady = older;
    slot.nextReady = newer;
    if (older !== undefined) older.nextReady = slot;
    if (newer !== undefined) newer.previousReady = slot;
    else this.#newestReady = slot;
  }

  #unlink(slot: Slot): void {
    const { previousReady, nextReady } = slot;
    if (previousReady !== undefined) previousReady.nextReady = nextReady;
    if (nextReady !== undefined) nextReady.previousReady = previousReady;
    else this.#newestReady = previousReady;
    slot.previousReady = undefined;
    slot.nextReady = undefined;
  }
}
