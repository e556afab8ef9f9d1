import type { CallScope } from '../call/call-scope.ts';
import { guardedCall } from '../call/guarded-call.ts';
import { Deadlines } from '../deadline/deadlines.ts';
import type { CallOptions } from '../driver/call.ts';
import type { Clock } from '../driver/clock.ts';
import type { Driver } from '../driver/driver.ts';
import { isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { GoldenImage, GoldenSnapshot } from '../driver/image.ts';
import { JoinedJobs } from '../driver/joined-jobs.ts';
import type { Machine } from '../driver/machine.ts';
import { runProbe } from './probe.ts';
import {
  destroyStep,
  forkStep,
  notRenewedError,
  prepareStep,
  probeStep,
  resetStep,
  type Step,
  stepError,
  stepTimeoutError,
} from './renewal-step.ts';
import {
  type CheckedTimeouts,
  checkClock,
  checkDriver,
  checkImage,
  checkProbe,
  checkTimeouts,
  type SnapshotResetOptions,
} from './snapshot-reset-options.ts';

/** How {@link SnapshotReset.recycle} got a clean machine. */
export type RecycleOutcome =
  | { readonly how: 'reset'; readonly machine: Machine }
  | {
      readonly how: 'replaced';
      readonly machine: Machine;
      /** Why the old machine could not be reset. */
      readonly cause: unknown;
      /** Why the old machine could not be destroyed either: it may still be on the host. Absent when it was. */
      readonly leftBehind?: unknown;
    };

/** Told of a fork that was given up. */
export interface ForkWatch {
  /** Called before the fork rejects, when it is still under way in the driver. */
  readonly givenUp?: (error: unknown) => void;
  /** Called once when the driver's call settles after that; a machine it brought is the callee's to destroy. */
  readonly late?: (outcome: { readonly value: Machine } | { readonly error: unknown }) => void;
}

/**
 * One golden image on one driver: prepares the golden snapshot once, forks machines from it, and brings used ones back
 * to it. A machine is given out only when its guest has proved itself ready after this generation began.
 */
export class SnapshotReset {
  readonly #options: SnapshotResetOptions;
  readonly #timeouts: CheckedTimeouts;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #scope: CallScope | undefined;
  readonly #preparing = new JoinedJobs<GoldenSnapshot>();
  #golden: GoldenSnapshot | undefined;

  /**
   * @param within for use inside a pool: whose timer bounds the calls, and what ends them all but destroys
   * @throws TypeError, RangeError naming the option that is wrong
   */
  constructor(options: SnapshotResetOptions, within?: { readonly deadlines: Deadlines; readonly scope: CallScope }) {
    checkDriver(options.driver);
    checkImage(options.image);
    checkProbe(options.probe);
    this.#options = options;
    this.#timeouts = checkTimeouts(options);
    this.#clock = checkClock(options.clock);
    this.#deadlines = within?.deadlines ?? new Deadlines(this.#clock, true);
    this.#scope = within?.scope;
  }

  get driver(): Driver {
    return this.#options.driver;
  }

  get image(): GoldenImage {
    return this.#options.image;
  }

  /** The golden snapshot, once it was prepared. */
  get golden(): GoldenSnapshot | undefined {
    return this.#golden;
  }

  /**
   * Makes the golden snapshot, or gives the one there is. Many callers join one job.
   * @throws WARMVM_GOLDEN_INVALID, WARMVM_HOST_*; or the signal's reason
   */
  async prepare(options: CallOptions = {}): Promise<GoldenSnapshot> {
    options.signal?.throwIfAborted();
    if (this.#golden !== undefined) return this.#golden;
    return this.#preparing.join(this.image.digest, options.signal, async (signal) => {
      const { owner, onProgress } = this.#options;
      const progress = onProgress === undefined ? {} : { onProgress };
      const golden = await this.#call(
        prepareStep,
        `prepare ${this.image.name}`,
        (call) => this.driver.prepare(this.image, { ...call, owner, ...progress }),
        signal,
      );
      this.#golden = golden;
      return golden;
    });
  }

  /** Drops a golden snapshot that the host no longer has, so that the next `prepare` makes it anew. */
  forget(): void {
    this.#golden = undefined;
  }

  /**
   * A new machine. It is not probed yet: see {@link verify}. A fork whose time is over is given up; should it bring a
   * machine after all, the machine is destroyed here, or handed to `watch.late`.
   * @throws WARMVM_FORK_FAILED, WARMVM_GOLDEN_MISSING, WARMVM_HOST_*; or the signal's reason
   */
  async fork(options: CallOptions = {}, watch: ForkWatch = {}): Promise<Machine> {
    const golden = this.#golden ?? (await this.prepare(options));
    const { owner } = this.#options;
    try {
      return await this.#call(
        forkStep,
        `fork ${this.image.name}`,
        (call) => this.driver.fork(golden, { ...call, owner }),
        options.signal,
        { ...watch, late: watch.late ?? ((outcome) => this.#putAway(outcome)) },
      );
    } catch (error) {
      if (isWarmvmError(error, 'WARMVM_GOLDEN_MISSING') && this.#golden === golden) this.forget();
      throw error;
    }
  }

  /**
   * Resolves when the guest has proved itself ready.
   * @throws WARMVM_NOT_READY with the probe's error as cause, WARMVM_HOST_LOST; or the signal's reason
   */
  verify(machine: Machine, options: CallOptions = {}): Promise<void> {
    return this.#call(
      probeStep,
      `probe machine ${machine.id}`,
      (call) => runProbe(this.#options.probe, this.driver, machine, call),
      options.signal,
    );
  }

  /**
   * Takes the machine back to the golden snapshot; not probed yet.
   * @throws WARMVM_RESET_FAILED, after which the machine is good for nothing but dispose; WARMVM_HOST_LOST; WARMVM_NOT_SUPPORTED; or the signal's reason
   */
  async rewind(machine: Machine, options: CallOptions = {}): Promise<void> {
    const before = machine.generation;
    await this.#call(resetStep, `reset machine ${machine.id}`, (call) => machine.reset(call), options.signal);
    if (machine.generation <= before) throw notRenewedError(machine);
  }

  /**
   * Reset and verify.
   * @throws as {@link rewind} and {@link verify} do; the machine is then good for nothing but dispose
   */
  async reset(machine: Machine, options: CallOptions = {}): Promise<void> {
    await this.rewind(machine, options);
    await this.verify(machine, options);
  }

  /**
   * A clean, verified machine in place of a used one: the same after a reset, or, where that is not supported or
   * failed, a new one. The old machine is then destroyed first.
   * @throws what {@link fork} and {@link verify} throw; the old machine is destroyed in any case but an abort
   */
  async recycle(machine: Machine, options: CallOptions = {}): Promise<RecycleOutcome> {
    try {
      if (this.driver.capabilities.reset === 'none') throw resetNotSupported(this.driver);
      await this.reset(machine, options);
      return { how: 'reset', machine };
    } catch (cause) {
      const leftBehind = await this.destroy(machine).then(
        () => ({}),
        (error: unknown) => ({ leftBehind: error }),
      );
      options.signal?.throwIfAborted();
      const replacement = await this.fork(options);
      try {
        await this.verify(replacement, options);
      } catch (error) {
        await this.destroy(replacement).catch(() => {});
        throw error;
      }
      return { how: 'replaced', machine: replacement, cause, ...leftBehind };
    }
  }

  /** Disposes the machine, within its time. @throws WARMVM_HOST_OPERATION with the cause */
  destroy(machine: Machine, watch: DestroyWatch = {}): Promise<void> {
    const what = `destroy machine ${machine.id}`;
    const call = (): PromiseLike<void> => machine[Symbol.asyncDispose]();
    return this.#call(destroyStep, what, call, undefined, watch);
  }

  #putAway(outcome: { readonly value: Machine } | { readonly error: unknown }): void {
    if ('value' in outcome) this.destroy(outcome.value).catch(() => {});
  }

  #call<Value>(
    step: Step,
    what: string,
    call: (options: CallOptions) => PromiseLike<Value>,
    signal: AbortSignal | undefined,
    watch: CallWatch<Value> = {},
  ): Promise<Value> {
    const timeoutMs = this.#timeouts[step.timeout];
    return guardedCall(call, {
      deadlines: this.#deadlines,
      nowMs: this.#clock.now(),
      timeoutMs,
      timeoutError: () => stepTimeoutError(step, what, timeoutMs),
      mapError: (error) => stepError(step, what, error),
      signal,
      scope: step === destroyStep ? undefined : this.#scope,
      givenUp: watch.givenUp,
      late: watch.late,
    });
  }
}

/** Told of a destroy that took too long. */
export type DestroyWatch = CallWatch<void>;

interface CallWatch<Value> {
  readonly givenUp?: (error: unknown) => void;
  readonly late?: (outcome: { readonly value: Value } | { readonly error: unknown }) => void;
}

function resetNotSupported(driver: Driver): WarmvmError {
  return new WarmvmError('WARMVM_NOT_SUPPORTED', `driver ${driver.name} cannot reset machines`);
}
