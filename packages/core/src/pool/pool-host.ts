import { randomUUID } from 'node:crypto';
import { CallScope } from '../call/call-scope.ts';
import type { Deadlines } from '../deadline/deadlines.ts';
import type { Driver, PrepareProgress } from '../driver/driver.ts';
import { isWarmvmError } from '../driver/error.ts';
import type { GoldenSnapshot } from '../driver/image.ts';
import type { MachineId } from '../driver/machine.ts';
import type { OwnerTag } from '../driver/owner.ts';
import { currentOwnerProcess } from '../owner/owner-process.ts';
import { SnapshotReset } from '../reset/snapshot-reset.ts';
import type { SnapshotResetOptions } from '../reset/snapshot-reset-options.ts';
import { CreationGate } from './creation-gate.ts';
import { HostHealth } from './host-health.ts';
import type { CheckedHost } from './host-options.ts';
import type { CheckedPoolOptions } from './parse-options.ts';
import { Permits } from './permits.ts';
import type { Place } from './placement.ts';
import { RateBucket } from './rate-bucket.ts';
import type { Slot, SlotState } from './slot.ts';
import type { SlotTable } from './slot-table.ts';
import { countSupply, countTotal, type Demand, makeCounts } from './supply.ts';

/** A listener's fault is its own: the boot that it is told of must not suffer from it. */
function harmless<Told>(listener: (told: Told) => void): (told: Told) => void {
  return (told) => {
    try {
      listener(told);
    } catch {}
  };
}

/** Everything that belongs to one host: its driver, its golden snapshot, its state and its limits. A slot names the host it is on. */
export class PoolHost implements Place {
  readonly name: string;
  readonly driver: Driver;
  /** Bound on footprints there, within that of the pool. */
  readonly max: number;
  /** What its driver keeps there besides machines. */
  readonly standby: number;
  /** Slots there, by state; written by the slot table alone. */
  readonly counts: Record<SlotState, number>;
  readonly health: HostHealth;
  /** Forks at a time. */
  readonly forks: Permits;
  /** Resets at a time. */
  readonly resets: Permits;
  /** Slots that are to be reset, the first and the last of a list; kept by the slot cleaner alone. */
  firstToClean: Slot | undefined = undefined;
  lastToClean: Slot | undefined = undefined;
  /** How often a fork may begin. */
  readonly rate: RateBucket;
  /** When creation may be attempted. */
  readonly gate: CreationGate;
  /** Whether its machines are reset at all, rather than replaced. */
  readonly resettable: boolean;
  /** Machines of dead processes that were taken over here. */
  readonly adopted: Set<MachineId> = new Set();
  /** Why the last attempt at creation failed; undefined when it went well. */
  lastError: unknown = undefined;
  isPreparing = false;
  /** Questions for the state of a machine there that are under way. */
  questions = 0;
  /** Machines that were begun to be made or adopted there. */
  begun = 0;
  /** Whether a destroy ended there since the last look at what is left that may have left its machine. */
  hasDestroyed = false;
  /** Whether somebody looks at what is left. */
  isLooking = false;
  /** No look at what is left before that, on the monotonic scale. */
  lookAtMs: number = Number.NEGATIVE_INFINITY;
  /** When something that was asked of it last went well, on the monotonic scale. */
  aliveAtMs: number = Number.NEGATIVE_INFINITY;
  /** Whether what was left there was put away, so that it may be filled. */
  isOpen = false;
  readonly #demand: Demand;
  readonly #instance: string = randomUUID();
  readonly #options: Omit<SnapshotResetOptions, 'owner'>;
  readonly #deadlines: Deadlines;
  #scope = new CallScope();
  #owner: OwnerTag;
  #snapshotReset: SnapshotReset;

  /** @param within what bounds its calls, the size of the pool that it is a part of, and the counts of that where it has no other host */
  constructor(
    host: CheckedHost,
    options: CheckedPoolOptions,
    within: { readonly deadlines: Deadlines; readonly demand: Demand; readonly table: Pick<SlotTable, 'counts'> },
  ) {
    const { image, clock, timeouts, breaker, creationBackoff } = options;
    const { driver } = host;
    this.name = host.name;
    this.driver = driver;
    this.max = host.max;
    this.standby = host.standby;
    this.counts = options.hosts.length === 1 ? within.table.counts : makeCounts();
    this.health = new HostHealth(options.heartbeat.misses);
    this.forks = new Permits(host.forkConcurrency);
    this.resets = new Permits(host.resetConcurrency);
    this.rate = new RateBucket(options.creationsPerSecond);
    this.gate = new CreationGate({ backoff: creationBackoff, ...breaker });
    this.resettable = host.resettable;
    this.#demand = within.demand;
    this.#deadlines = within.deadlines;
    const probe = options.probe === undefined ? {} : { probe: options.probe };
    const told = options.onPrepareProgress;
    const onProgress =
      told === undefined ? {} : { onProgress: harmless<PrepareProgress>((progress) => told(progress, host.name)) };
    this.#options = { driver, image, clock, ...timeouts, ...probe, ...onProgress };
    this.#owner = { pool: options.name, instance: this.#instance, process: currentOwnerProcess() };
    this.#snapshotReset = this.#makeSnapshotReset();
  }

  /** Mark on everything that this pool makes there from now on. */
  get owner(): OwnerTag {
    return this.#owner;
  }

  /** Ends when the host is lost or the pool closes; a new one begins with each loss. */
  get scope(): CallScope {
    return this.#scope;
  }

  get snapshotReset(): SnapshotReset {
    return this.#snapshotReset;
  }

  get golden(): GoldenSnapshot | undefined {
    return this.#snapshotReset.golden;
  }

  /** Every footprint there. */
  get total(): number {
    return countTotal(this.counts);
  }

  get free(): number {
    return Math.min(this.max, this.#demand.max) - this.total;
  }

  get isOnTrial(): boolean {
    return this.gate.failuresInARow > 0 || this.gate.state !== 'closed';
  }

  /** Whether machines may be made there now, as far as its state, its limits and its backoff go. */
  mayCreate(nowMs: number): boolean {
    return (
      this.isOpen &&
      this.health.state === 'up' &&
      this.golden !== undefined &&
      this.forks.inUse < this.forks.limit &&
      this.rate.nextMs(nowMs) === undefined &&
      this.gate.mayAttempt(nowMs)
    );
  }

  /** Whether what carries this mark was made by this pool before it lost the host: nobody has a hold on it any more. */
  isLeftover(owner: OwnerTag): boolean {
    return owner.instance !== this.#owner.instance && owner.instance.startsWith(this.#instance);
  }

  /**
   * The host was lost: every call under way there is given up, the golden snapshot is forgotten, and what was made until
   * now is told from what will be made by its mark.
   */
  interrupt(error: unknown): void {
    const scope = this.#scope;
    this.isOpen = false;
    this.isPreparing = false;
    this.#scope = new CallScope();
    this.#owner = { ...this.#owner, instance: `${this.#instance}-${this.health.epoch}` };
    this.#snapshotReset = this.#makeSnapshotReset();
    scope.end(error);
  }

  #makeSnapshotReset(): SnapshotReset {
    return new SnapshotReset(
      { ...this.#options, owner: this.#owner },
      { deadlines: this.#deadlines, scope: this.#scope },
    );
  }
}

/**
 * Whether the error of a call means that the host is lost. One that could not be reached may be reached over another connection,
 * so where machines live that counts only when a heartbeat says so too.
 */
export function tellsLoss(host: PoolHost, error: unknown): boolean {
  if (isWarmvmError(error, 'WARMVM_HOST_LOST')) return true;
  return isWarmvmError(error, 'WARMVM_HOST_UNREACHABLE') && countSupply(host.counts) === 0;
}
