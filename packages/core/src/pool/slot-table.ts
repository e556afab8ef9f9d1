import type { PoolHost } from './pool-host.ts';
import { Slot, type SlotPhase, type SlotState } from './slot.ts';
import { makeCounts, type SlotCounts } from './supply.ts';

/** State of a slot that is not there. */
export type AnySlotState = SlotState | 'absent';

/** Told of every move, after it was made. Must not throw. */
export type OnSlotMove = (slot: Slot, from: AnySlotState, to: AnySlotState) => void;

const legalMoves: Readonly<Record<AnySlotState, readonly AnySlotState[]>> = {
  absent: ['creating'],
  creating: ['settling', 'resetting', 'destroying', 'absent'],
  settling: ['ready', 'destroying'],
  ready: ['leased', 'settling', 'destroying'],
  leased: ['resetting', 'destroying'],
  resetting: ['settling', 'destroying'],
  destroying: ['destroying', 'absent', 'quarantined'],
  quarantined: ['destroying', 'absent'],
};

/** The legal moves from each state, as bits: they are looked up five times in each turn of a machine. */
const legalBits: Readonly<Record<AnySlotState, number>> = Object.freeze(
  Object.fromEntries(
    Object.entries(legalMoves).map(([from, states]) => [from, states.reduce((bits, to) => bits | bitOf(to), 0)]),
  ) as Record<AnySlotState, number>,
);

function bitOf(state: AnySlotState): number {
  switch (state) {
    case 'absent':
      return 1;
    case 'creating':
      return 2;
    case 'settling':
      return 4;
    case 'ready':
      return 8;
    case 'leased':
      return 16;
    case 'resetting':
      return 32;
    case 'destroying':
      return 64;
    case 'quarantined':
      return 128;
  }
}

/** Every slot of a pool. The counts, of all and of each host, are changed in one function only, so no gauge can drift from the states. */
export class SlotTable {
  readonly #slots = new Set<Slot>();
  readonly #counts: Record<SlotState, number> = makeCounts();
  readonly #onMove: OnSlotMove;
  #nextId = 1;
  #newestReady: Slot | undefined;

  constructor(onMove: OnSlotMove) {
    this.#onMove = onMove;
  }

  get counts(): SlotCounts {
    return this.#counts;
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
  move<Phase extends SlotPhase | undefined>(slot: Slot, phase: Phase): Phase {
    const from = slot.phase?.kind ?? 'absent';
    const to = phase?.kind ?? 'absent';
    if ((legalBits[from] & bitOf(to)) === 0) throw new Error(`slot ${slot.id} cannot go from ${from} to ${to}`);
    const { counts } = slot.host;
    // The only host of a pool counts with the pool.
    const isApart = counts !== this.#counts;
    if (from === 'absent') this.#slots.add(slot);
    else {
      this.#counts[from] -= 1;
      if (isApart) counts[from] -= 1;
    }
    if (from === 'ready') this.#unlink(slot);
    slot.phase = phase;
    if (to === 'absent') this.#slots.delete(slot);
    else {
      this.#counts[to] += 1;
      if (isApart) counts[to] += 1;
    }
    if (phase?.kind === 'ready') this.#link(slot, phase.sinceMs);
    this.#onMove(slot, from, to);
    return phase;
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
