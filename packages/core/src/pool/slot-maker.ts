import type { Machine } from '../driver/machine.ts';
import type { Approval } from './creation-gate.ts';
import type { Permit } from './permits.ts';
import type { PoolCore } from './pool-core.ts';
import { type PoolHost, tellsLoss } from './pool-host.ts';
import type { Slot } from './slot.ts';
import type { SlotCleaner } from './slot-cleaner.ts';
import type { SlotDestroyer } from './slot-destroyer.ts';
import type { SlotWatcher } from './slot-watcher.ts';

/** What a {@link SlotMaker} works with. */
export interface SlotMakerParts {
  readonly cleaner: SlotCleaner;
  readonly destroyer: SlotDestroyer;
  readonly watcher: SlotWatcher;
  /** Told of each attempt that failed. */
  readonly onFailed: (host: PoolHost, error: unknown) => void;
}

/** Prepares golden snapshots and makes machines. Creation belongs to the pool: no waiter's deadline ends it. */
export class SlotMaker {
  readonly #core: PoolCore;
  readonly #parts: SlotMakerParts;
  #lastError: unknown;

  constructor(core: PoolCore, parts: SlotMakerParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Why the last attempt failed; undefined when it went well. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Prepares the golden snapshot of the host, unless that is under way. */
  prepare(host: PoolHost): void {
    if (host.isPreparing) return;
    const approval = this.approve(host);
    if (approval === undefined) return;
    host.isPreparing = true;
    const startedAtMs = this.#core.now();
    const { snapshotReset } = host;
    const { epoch } = host.health;
    snapshotReset
      .prepare()
      .then(
        () => {
          // Only a machine proves that creation works: were this a success, forks that always fail would never back off.
          host.gate.abandoned(approval);
          this.#core.phaseEnded('prepare', host, startedAtMs);
        },
        (error: unknown) => {
          this.#core.phaseEnded('prepare', host, startedAtMs, { error });
          this.#failed(host, approval, error, epoch);
        },
      )
      .finally(() => {
        // After a loss another one may be under way.
        if (host.snapshotReset === snapshotReset) host.isPreparing = false;
        this.#core.pump();
      })
      .catch((error: unknown) => this.#failed(host, approval, error, epoch));
  }

  /** Starts one creation on a host that {@link PoolHost.mayCreate}. @returns whether it began */
  create(host: PoolHost): boolean {
    const permit = host.forks.tryTake();
    if (permit === undefined) return false;
    const approval = this.approve(host);
    if (approval === undefined) {
      permit.release();
      return false;
    }
    host.rate.take();
    const slot = this.#core.table.add(host);
    this.#make(slot, permit, approval).catch((error: unknown) => this.#core.machineLost(slot, error));
    return true;
  }

  /** The right to one attempt on the host, or undefined when there is none at present. */
  approve(host: PoolHost): Approval | undefined {
    const before = host.gate.state;
    const approval = host.gate.approve(this.#core.now());
    this.#tellBreaker(host, before);
    return approval;
  }

  /** An attempt to reach a host that is down failed. */
  refused(host: PoolHost, approval: Approval, error: unknown): void {
    if (this.#core.closing) {
      host.gate.abandoned(approval);
      return;
    }
    const before = host.gate.state;
    this.#noteError(host, error);
    host.gate.failed(approval, this.#core.now());
    this.#tellBreaker(host, before);
    this.#parts.onFailed(host, error);
  }

  /** Counts a failure of the host that was seen without an attempt, unless attempts are held back anyway. */
  hit(host: PoolHost, error: unknown): void {
    const nowMs = this.#core.now();
    if (host.gate.nextAttemptMs(nowMs) !== undefined) return;
    const before = host.gate.state;
    this.#noteError(host, error);
    host.gate.hit(nowMs);
    this.#tellBreaker(host, before);
  }

  async #make(slot: Slot, permit: Permit, approval: Approval): Promise<void> {
    const { host } = slot;
    const startedAtMs = this.#core.now();
    slot.wallOffsetMs = this.#core.clocks.wallOffsetMs();
    let machine: Machine;
    let givenUp = false;
    try {
      machine = await host.snapshotReset.fork(
        {},
        {
          // In the same step, since the driver may settle before this function goes on.
          givenUp: () => {
            givenUp = true;
            this.#parts.destroyer.awaitLate(slot);
          },
          late: (outcome) => this.#parts.destroyer.settleLate(slot, outcome),
        },
      );
    } catch (error) {
      permit.release();
      if (!givenUp) this.#core.table.move(slot, undefined);
      this.#core.phaseEnded('fork', slot, startedAtMs, { error });
      this.#failed(host, approval, error, slot.epoch);
      this.#core.pump();
      return;
    }
    this.#core.counters.created += 1;
    slot.runningSinceMs = this.#core.now();
    host.aliveAtMs = slot.runningSinceMs;
    const { maxAgeMs, random } = this.#core.options;
    slot.retireAtMs = this.#core.now() + maxAgeMs * (1 - 0.1 * random());
    const settled = this.#parts.cleaner.settle(slot, machine);
    this.#core.phaseEnded('fork', slot, startedAtMs);
    this.#parts.watcher.begin(slot, machine);
    slot.creationLost = (error) => {
      slot.creationLost = undefined;
      permit.release();
      this.#failed(host, approval, error, slot.epoch);
    };
    const failure = await settled;
    if (failure !== undefined) slot.creationLost?.(failure.error);
    else if (slot.creationLost !== undefined) {
      slot.creationLost = undefined;
      permit.release();
      this.#succeeded(host, approval);
    }
    this.#core.pump();
  }

  #succeeded(host: PoolHost, approval: Approval): void {
    const before = host.gate.state;
    this.#noteError(host, undefined);
    host.gate.succeeded(approval);
    this.#tellBreaker(host, before);
  }

  #failed(host: PoolHost, approval: Approval, error: unknown, epoch: number): void {
    if (this.#core.closing) {
      host.gate.abandoned(approval);
      return;
    }
    const nowMs = this.#core.now();
    const before = host.gate.state;
    this.#core.counters.creationsFailed += 1;
    this.#noteError(host, error);
    host.gate.failed(approval, nowMs);
    const retryInMs = (host.gate.nextAttemptMs(nowMs) ?? nowMs) - nowMs;
    const { failuresInARow } = host.gate;
    this.#core.hub.emit({ type: 'creation-failed', host: host.name, error, failuresInARow, retryInMs });
    this.#tellBreaker(host, before);
    if (tellsLoss(host, error)) this.#core.hostLost(host, error, epoch);
    this.#parts.onFailed(host, error);
  }

  #noteError(host: PoolHost, error: unknown): void {
    this.#lastError = error;
    host.lastError = error;
  }

  #tellBreaker(host: PoolHost, before: PoolHost['gate']['state']): void {
    const { state } = host.gate;
    if (state !== before) this.#core.hub.emit({ type: 'breaker-changed', host: host.name, from: before, to: state });
  }
}
