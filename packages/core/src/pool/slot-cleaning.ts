import { BoundedCall } from '../call/bounded-call.ts';
import type { DueLane } from '../deadline/due-lane.ts';
import type { CallOptions } from '../driver/call.ts';
import { isWarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import { runProbe } from '../reset/probe.ts';
import {
  notRenewedError,
  probeStep,
  resetStep,
  type Step,
  stepError,
  stepTimeoutError,
} from '../reset/renewal-step.ts';
import type { Permit } from './permits.ts';
import type { PoolCore } from './pool-core.ts';
import { goneError } from './pool-errors.ts';
import type { ReadyPhase, ResettingPhase, SettlingPhase, Slot } from './slot.ts';
import { isUnfitToLend, type SlotWatcher } from './slot-watcher.ts';

/** Why a machine did not become ready. */
export interface CleaningFailure {
  readonly error: unknown;
}

/** How long a step may take, and the list of deadlines that it stands in. */
export interface StepBound {
  readonly timeoutMs: number;
  readonly lane: DueLane;
}

/** The bounds of both steps; the same for every slot of a pool. */
export interface CleaningBounds {
  readonly reset: StepBound;
  readonly probe: StepBound;
}

/** Told how it went; after a failure the slot is on its way out. */
export type OnSettled = (failure: CleaningFailure | undefined) => void;

/**
 * Resets and probes the machine of one slot, turn after turn, without a promise or closure of its own for any of them.
 * After a failure there is no further turn: the slot goes.
 */
export class SlotCleaning extends BoundedCall<void> {
  readonly #core: PoolCore;
  readonly #watcher: SlotWatcher;
  readonly #bounds: CleaningBounds;
  readonly #slot: Slot;
  readonly #machine: Machine;
  #step: Step = probeStep;
  /** The phases that its slot goes through in each turn. */
  readonly #resetting: ResettingPhase;
  readonly #settling: SettlingPhase;
  readonly #ready: { -readonly [Key in keyof ReadyPhase]: ReadyPhase[Key] };
  /** The slot is still ours to change while it has moved this often. */
  #moves = 0;
  #startedAtMs = 0;
  /** Generation before the reset. */
  #generation = 0;
  #idleSinceMs: number | undefined;
  #permit: Permit | undefined;
  #onSettled: OnSettled | undefined;

  constructor(core: PoolCore, watcher: SlotWatcher, bounds: CleaningBounds, slot: Slot, machine: Machine) {
    super(core.deadlines, slot.host.scope);
    this.#core = core;
    this.#watcher = watcher;
    this.#bounds = bounds;
    this.#slot = slot;
    this.#machine = machine;
    this.#resetting = { kind: 'resetting', machine };
    this.#settling = { kind: 'settling', machine };
    this.#ready = { kind: 'ready', machine, sinceMs: Number.NaN };
  }

  /** Its slot waits for its reset from now on. */
  takeBack(): void {
    this.#core.table.move(this.#slot, this.#resetting);
  }

  /** Resets, then probes; the slot is resetting. @param permit is given back at the end */
  reset(permit: Permit): void {
    this.#permit = permit;
    this.#moves = this.#slot.moves;
    this.#step = resetStep;
    this.#generation = this.#machine.generation;
    this.#slot.runningSinceMs = undefined;
    this.#slot.wallOffsetMs = this.#core.clocks.wallOffsetMs();
    this.#begin(this.#core.now());
  }

  /** Probes, and makes the slot ready. @param idleSinceMs since when it counts as idle; from now on unless it was ready before */
  settle(idleSinceMs: number | undefined, onSettled: OnSettled): void {
    this.#onSettled = onSettled;
    this.#prove(this.#core.now(), idleSinceMs);
  }

  protected override call(options: CallOptions): PromiseLike<void> {
    if (this.#step === resetStep) return this.#machine.reset(options);
    return runProbe(this.#core.options.probe, this.#slot.host.driver, this.#machine, options);
  }

  protected override timeoutError(): unknown {
    return stepTimeoutError(this.#step, this.#what, this.#bound.timeoutMs);
  }

  protected override succeeded(): void {
    try {
      if (this.#step === resetStep) this.#rewound();
      else this.#proved();
    } catch (error) {
      // A fault of the pool itself costs the slot.
      this.#core.machineLost(this.#slot, error);
    }
  }

  protected override failed(error: unknown): void {
    this.#fail(stepError(this.#step, this.#what, error));
  }

  protected override givenUp(error: unknown): void {
    this.#fail(error);
  }

  protected override late(): void {}

  get #bound(): StepBound {
    return this.#step === resetStep ? this.#bounds.reset : this.#bounds.probe;
  }

  get #isOurs(): boolean {
    return this.#slot.moves === this.#moves;
  }

  /** Whether nothing of its host is wanted any more. */
  get #isUnwanted(): boolean {
    return this.#core.closing || this.#slot.host.health.isDraining;
  }

  get #what(): string {
    return `${this.#step === resetStep ? 'reset' : 'probe'} machine ${this.#machine.id}`;
  }

  #begin(nowMs: number): void {
    this.#startedAtMs = nowMs;
    const { timeoutMs, lane } = this.#bound;
    this.begin(nowMs, timeoutMs, lane);
  }

  #rewound(): void {
    if (this.#machine.generation <= this.#generation) {
      this.#fail(notRenewedError(this.#machine));
      return;
    }
    const endedAtMs = this.#core.phaseEnded('reset', this.#slot, this.#startedAtMs);
    this.#slot.runningSinceMs = endedAtMs;
    this.#slot.host.aliveAtMs = endedAtMs;
    if (this.#isOurs) this.#prove(endedAtMs, undefined);
    else this.#giveBack();
  }

  #prove(nowMs: number, idleSinceMs: number | undefined): void {
    this.#step = probeStep;
    this.#idleSinceMs = idleSinceMs;
    this.#core.table.move(this.#slot, this.#settling);
    this.#moves = this.#slot.moves;
    this.#watcher.stirred(this.#slot, nowMs);
    this.#begin(nowMs);
  }

  #proved(): void {
    const seen = this.#slot.latestChange;
    if (seen?.generation !== this.#machine.generation || !isUnfitToLend(seen)) {
      this.#makeReady();
      return;
    }
    // What was seen of this generation and what the guest proved do not agree: ask.
    this.#watcher
      .confirm(this.#slot, this.#machine)
      .then(() => this.#makeReady())
      .catch((error: unknown) => this.#fail(error));
  }

  #makeReady(): void {
    // Its guest answered, and yet it was taken meanwhile: it died, or the pool closes.
    if (!this.#isOurs) {
      this.#end({ error: goneError(this.#machine, undefined) });
      return;
    }
    const endedAtMs = this.#core.phaseEnded('probe', this.#slot, this.#startedAtMs);
    // It was told to drain meanwhile: the machine is well, and of no use.
    if (this.#slot.host.health.isDraining) this.#core.destroy(this.#slot);
    else {
      this.#ready.sinceMs = this.#idleSinceMs ?? endedAtMs;
      this.#core.table.move(this.#slot, this.#ready);
    }
    this.#end(undefined, endedAtMs);
  }

  #fail(error: unknown): void {
    const isOurs = this.#isOurs;
    // A drain or close ended it: no failure, of which anybody need hear.
    if (!isOurs && this.#isUnwanted) {
      this.#end({ error });
      return;
    }
    if (this.#step === resetStep) this.#core.phaseEnded('reset', this.#slot, this.#startedAtMs, { error });
    else if (isOurs) this.#core.phaseEnded('probe', this.#slot, this.#startedAtMs, { error });
    if (isOurs) {
      this.#core.destroy(this.#slot);
      if (isWarmvmError(error, 'WARMVM_HOST_LOST')) this.#core.hostLost(this.#slot.host, error, this.#slot.epoch);
    }
    this.#end({ error });
  }

  /** @param nowMs what the clock says, where it was just read */
  #end(failure: CleaningFailure | undefined, nowMs?: number): void {
    const onSettled = this.#onSettled;
    if (onSettled !== undefined) {
      this.#onSettled = undefined;
      onSettled(failure);
      return;
    }
    if (failure === undefined) this.#core.counters.resets += 1;
    else if (!this.#isUnwanted) this.#core.counters.resetsFailed += 1;
    this.#giveBack(nowMs);
  }

  #giveBack(nowMs?: number): void {
    this.#permit?.release();
    this.#permit = undefined;
    this.#core.pump(nowMs);
  }
}
