import type { CallScope } from '../call/call-scope.ts';
import { guardedCall } from '../call/guarded-call.ts';
import { Deadlines } from '../deadline/deadlines.ts';
import type { CallOptions } from '../driver/call.ts';
import type { Clock } from '../driver/clock.ts';
import type { Driver } from '../driver/driver.ts';
import { type ErrorCode, isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { GoldenImage, GoldenSnapshot } from '../driver/image.ts';
import { JoinedJobs } from '../driver/joined-jobs.ts';
import type { Machine } from '../driver/machine.ts';
import { runProbe } from './probe.ts';
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
        'WARMVM_GOLDEN_INVALID',
        `prepare ${this.image.name}`,
        'prepareTimeoutMs',
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
        'WARMVM_FORK_FAILED',
        `fork ${this.image.name}`,
        'forkTimeoutMs',
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
      'WARMVM_NOT_READY',
      `probe machine ${machine.id}`,
      'probeTimeoutMs',
      (call) => runProbe(this.#options.probe, this.driver, machine, call),
      options.signal,
      {},
      true,
    );
  }

  /**
   * Takes the machine back to the golden snapshot; not probed yet.
   * @throws WARMVM_RESET_FAILED, after which the machine is good for nothing but dispose; WARMVM_HOST_LOST; WARMVM_NOT_SUPPORTED; or the signal's reason
   */
  async rewind(machine: Machine, options: CallOptions = {}): Promise<void> {
    const before = machine.generation;
    const what = `reset machine ${machine.id}`;
    await this.#call('WARMVM_RESET_FAILED', what, 'resetTimeoutMs', (call) => machine.reset(call), options.signal);
    if (machine.generation > before) return;
    throw new WarmvmError('WARMVM_RESET_FAILED', `${what}: still generation ${before}; expected a later one`, {
      details: { machineId: machine.id, generation: machine.generation },
    });
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
    return this.#call('WARMVM_HOST_OPERATION', what, 'destroyTimeoutMs', call, undefined, watch);
  }

  #putAway(outcome: { readonly value: Machine } | { readonly error: unknown }): void {
    if ('value' in outcome) this.destroy(outcome.value).catch(() => {});
  }

  #call<Value>(
    code: ErrorCode,
    what: string,
    timeout: keyof CheckedTimeouts,
    call: (options: CallOptions) => PromiseLike<Value>,
    signal: AbortSignal | undefined,
    watch: CallWatch<Value> = {},
    wrapAll = false,
  ): Promise<Value> {
    const timeoutMs = this.#timeouts[timeout];
    return guardedCall(call, {
      deadlines: this.#deadlines,
      nowMs: this.#clock.now(),
      timeoutMs,
      timeoutError: () =>
        new WarmvmError(code, `${what}: not done after ${timeoutMs} ms (${timeout})`, {
          retryable: true,
          details: { timeoutMs },
        }),
      mapError: (error) => mapError(error, code, what, wrapAll),
      signal,
      scope: timeout === 'destroyTimeoutMs' ? undefined : this.#scope,
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

function mapError(error: unknown, code: ErrorCode, what: string, wrapAll: boolean): unknown {
  if (isWarmvmError(error) && (!wrapAll || error.code === code || error.code === 'WARMVM_HOST_LOST')) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new WarmvmError(code, `${what}: ${message}`, {
    cause: error,
    retryable: isWarmvmError(error) ? error.retryable : false,
  });
}
