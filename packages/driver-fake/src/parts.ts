import {
  type Clock,
  type GoldenImage,
  type MachineRecord,
  type MachineState,
  type OwnerTag,
  sleep,
} from '@warmvm/core/driver';
import { ChangeQueue } from './change-queue.ts';
import { wrapError } from './errors.ts';
import type { FaultOperation } from './faults.ts';
import { bootGuest, type GuestWorld } from './guest-world.ts';
import type { HostStore } from './host-store.ts';

/** What a guest is brought back from. */
export interface RevertContext {
  /** The guest as it is; null for a fork. */
  readonly present: GuestWorld | null;
  /** The guest as it was frozen, and its time then. */
  readonly golden: { readonly world: GuestWorld; readonly guestTimeMs: number };
  readonly image: GoldenImage;
  /** Back to the frozen memory, or a boot from the frozen disk. */
  readonly kind: 'memory' | 'disk';
  /** Seeds the random number generator of a guest that boots. */
  readonly seed: Uint8Array;
  readonly clock: Clock;
}

/** What a guest is told after a fork or reset. */
export interface RenewalOrder {
  readonly generationId: string;
  readonly hostname: string;
  readonly machineId: string;
  /** Fresh randomness for its generator. */
  readonly seed: Uint8Array;
}

/** What the guest answers: the generation ids that it found before it took the new one. */
export interface RenewalProof {
  readonly generationId: string;
  readonly memoryGeneration: string | null;
  readonly diskGeneration: string | null;
}

/**
 * The small pieces that the driver is put together from. Replace one to get a driver that is wrong in exactly one way, to see
 * whether a test notices. Not for production; may change in any release.
 */
export interface FakeParts {
  /** Every wait of a call. */
  wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void>;
  /** Takes away what a rejected fork or prepare has made. */
  discard(store: HostStore, id: string): void;
  /** Takes a machine or golden snapshot off the host, on dispose and remove; its mark stays. */
  destroy(store: HostStore, id: string): void;
  /** Takes the mark off, last. */
  unmark(store: HostStore, id: string): void;
  /** Puts the mark on, first; also on adoption. */
  mark(store: HostStore, id: string, owner: OwnerTag): void;
  /** The guest after a fork or revert, before its renewal. */
  revert(context: RevertContext): GuestWorld;
  /** Steps the clock, reseeds, takes on the identity, and says what was found. */
  renew(world: GuestWorld, order: RenewalOrder): RenewalProof;
  /** Whether the guest proved to be renewed and to come from the golden snapshot. */
  proves(proof: RenewalProof, expected: RenewalProof): boolean;
  nextGeneration(generation: number): number;
  /** What `state` and `watch` make of the host's word. */
  reportState(state: MachineState): MachineState;
  wrapError(operation: FaultOperation, error: unknown): Error;
  /** Whether `list` shows the record to the pool. */
  belongs(record: MachineRecord, pool: string): boolean;
  /** The line of one watcher. */
  changeQueue(onEnd: () => void): ChangeQueue;
}

/** The pieces of a driver that keeps the contract. */
export const defaultParts: FakeParts = {
  wait(clock, delayMs, signal) {
    if (delayMs > 0) return sleep(clock, delayMs, signal);
    return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
  },
  discard(store, id) {
    store.removeMachine(id);
    store.removeGolden(id);
    store.removeMark(id);
  },
  destroy(store, id) {
    store.removeMachine(id);
    store.removeGolden(id);
  },
  unmark: (store, id) => store.removeMark(id),
  mark: (store, id, owner) => store.writeMark(id, owner),
  revert({ golden, image, kind, seed, clock }) {
    if (kind === 'memory') return golden.world.cloneAt(golden.guestTimeMs, clock);
    return bootGuest(image, seed, golden.world.disk);
  },
  renew(world, { generationId, hostname, machineId, seed }) {
    const found = world.generations();
    world.random.reseed(seed);
    world.clockOffsetMs = 0;
    world.setText('/etc/hostname', hostname);
    world.setText('/etc/machine-id', machineId);
    world.setGeneration(generationId);
    return { generationId, memoryGeneration: found.memory, diskGeneration: found.disk };
  },
  proves(proof, expected) {
    return (
      proof.generationId === expected.generationId &&
      proof.memoryGeneration === expected.memoryGeneration &&
      proof.diskGeneration === expected.diskGeneration
    );
  },
  nextGeneration: (generation) => generation + 1,
  reportState: (state) => state,
  wrapError,
  belongs: (record, pool) => record.owner.pool === pool,
  changeQueue: (onEnd) => new ChangeQueue(onEnd),
};
