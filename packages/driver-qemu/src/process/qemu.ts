import type { Duplex } from 'node:stream';
import { type CallOptions, type Clock, type Timer, WarmvmError } from '@warmvm/core/driver';
import { isHalted } from '../home/process-table.ts';
import type { QmpEvent } from '../qmp/message.ts';
import { Monitor } from '../qmp/monitor.ts';
import type { ProcessEnd } from './qemu-process.ts';

import { isOver, type ObservedState, stateOfEnd, stateOfEvent, stateOfStatus } from './run-state.ts';

/** How long a QEMU that has closed its monitor may take to end by itself: it gives its guest's RAM back meanwhile. */
const EXIT_MS = 5000;

/** How long a monitor may take to end after the process: both are told of in the same turn, or one after the other. */
const LAST_WORDS_MS = 1000;

/** How long a process may take to end after SIGKILL: one that the kernel holds, or that we may not kill, never ends. */
const KILL_MS = 10_000;

/** How long a QEMU may take to answer for its state. It answers within a millisecond unless it stands still. */
const ANSWER_MS = 5000;

/** A QEMU process, started by us or by somebody before us. */
export interface ProcessHandle {
  readonly pid: number;
  /** Resolves when it is gone. */
  readonly ended: Promise<ProcessEnd>;
  /** The end of its standard error, where we have it. */
  readonly said: string;
  /** Kills it at once; {@link ended} tells when it is gone. */
  kill(): void;
  /** It belongs to somebody else now, and is neither waited for nor told of. */
  release(): void;
}

/** What a {@link Qemu} is made of. */
export interface QemuParts {
  readonly process: ProcessHandle;
  /** Stream of a monitor. */
  readonly monitor: Duplex;
  readonly clock: Clock;
  /** What is known of its state now. */
  readonly present: ObservedState;
}

/** Limits of one call. */
export interface QemuCallOptions extends CallOptions {
  readonly timeoutMs: number;
  /** What the user calls the limit, for errors. @default none: nothing sets it */
  readonly option?: string;
}

/** One QEMU: its process, its monitor, and what its events say of the machine's state. */
export class Qemu {
  readonly process: ProcessHandle;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly #awaited = new Set<(event: QmpEvent) => void>();
  readonly #end: Promise<void>;
  #present: ObservedState;
  #released = false;
  #onChange: (observed: ObservedState) => void = () => {};

  constructor(parts: QemuParts) {
    this.process = parts.process;
    this.clock = parts.clock;
    this.#present = parts.present;
    this.monitor = new Monitor(parts.monitor, parts.clock, (event) => this.#hear(event));
    this.#end = this.#watchEnd();
    void this.#endWithoutMonitor();
  }

  /** What QEMU said last of the state, or the end of its process. */
  get present(): ObservedState {
    return this.#present;
  }

  /** Tells of every change from now on, to this listener alone. */
  onChange(listener: (observed: ObservedState) => void): void {
    this.#onChange = listener;
  }

  /** @throws as {@link Monitor.execute} does; WARMVM_MACHINE_CRASHED with what QEMU said when it ends before it answers */
  async execute(
    command: string,
    options: QemuCallOptions,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> {
    try {
      return await this.monitor.execute(command, fields, options);
    } catch (error) {
      // By identity: a caller's signal may be aborted with an error of the same code while QEMU lives, and would wait for its end.
      if (this.#released || error !== this.monitor.end) throw error;
      throw this.crashed(await this.process.ended);
    }
  }

  /**
   * The first event that `wanted` is true for, from now on.
   * @throws the signal's reason; WARMVM_MACHINE_CRASHED with what QEMU said when it ends before; WARMVM_HOST_OPERATION (`retryable`)
   * when the time is over
   */
  event(wanted: (event: QmpEvent) => boolean, what: string, options: QemuCallOptions): Promise<QmpEvent> {
    const { signal, timeoutMs, option } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const done = (settle: () => void): void => {
        this.#awaited.delete(look);
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const look = (event: QmpEvent): void => {
        if (wanted(event)) done(() => resolve(event));
      };
      const onAbort = (): void => done(() => reject(signal?.reason));
      const timer: Timer = this.clock.setTimer(() => done(() => reject(tooLate(what, timeoutMs, option))), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#awaited.add(look);
      void this.process.ended.then((end) => done(() => reject(this.crashed(end))));
    });
  }

  /** The error for whoever needed this QEMU when it ended. */
  crashed(end: ProcessEnd): WarmvmError {
    const { reason } = stateOfEnd(end, this.#present);
    const said = this.process.said.split('\n').slice(-3).join(' | ').slice(-500);
    return new WarmvmError('WARMVM_MACHINE_CRASHED', said === '' ? reason : `${reason}: ${said}`, {
      details: { pid: this.process.pid, exitCode: end.exitCode, signal: end.signal, said },
      ...(end.cause === undefined ? {} : { cause: end.cause }),
    });
  }

  /**
   * Asks the process and QEMU for the state of the machine; {@link present} is the answer then. A process that a signal has stopped
   * answers nothing, and is `paused`.
   * @throws the signal's reason; WARMVM_HOST_OPERATION (`retryable`) when QEMU does not answer: its silence says nothing of the machine
   */
  async ask({ signal }: CallOptions): Promise<void> {
    if (this.#released || isOver(this.#present)) return;
    if (isHalted(this.process.pid)) {
      return this.observe({ state: 'paused', reason: 'a signal has stopped its process (SIGSTOP)' });
    }
    const limits = { timeoutMs: ANSWER_MS, ...(signal === undefined ? {} : { signal }) };
    try {
      const answer = (await this.monitor.execute('query-status', {}, limits)) as { readonly status?: unknown } | null;
      this.#learn(answer?.status);
    } catch (error) {
      signal?.throwIfAborted();
      // Its end says more than the end of its monitor.
      if (error === this.monitor.end) return this.#end;
      throw error;
    }
  }

  /** A machine that shuts down is not called paused or running again by an answer that says less than the event did. */
  #learn(status: unknown): void {
    const answered = stateOfStatus(status);
    if (this.#present.state !== 'stopping' || isOver(answered)) this.observe(answered);
  }

  /**
   * Kills the process and waits until it is gone. Idempotent.
   * @throws WARMVM_HOST_OPERATION (`retryable`) when it does not end, or may not be killed
   */
  async kill(): Promise<void> {
    this.process.kill();
    if (!(await this.#within(KILL_MS, this.process.ended))) throw doesNotEnd(this.process.pid, KILL_MS);
    await this.monitor[Symbol.asyncDispose]();
  }

  /** Leaves the process alone, for another owner. */
  async release(): Promise<void> {
    this.#released = true;
    this.#onChange = () => {};
    this.process.release();
    await this.monitor[Symbol.asyncDispose]();
  }

  /** Tells how it ended, once everything that it had said before is read: the two come by different ways, in any order. */
  async #watchEnd(): Promise<void> {
    const end = await this.process.ended;
    await this.#within(LAST_WORDS_MS, this.monitor.closed);
    this.observe(stateOfEnd(end, this.#present));
  }

  /**
   * A QEMU that nobody can speak to any more is of no use, and must not live on unseen. One that ends by itself closes its
   * monitor first, and is given the time to: killed meanwhile, a guest that had powered off would pass for one that crashed.
   */
  async #endWithoutMonitor(): Promise<void> {
    await this.monitor.closed;
    await this.#within(EXIT_MS, this.process.ended);
    if (this.#released) return;
    try {
      this.process.kill();
    } catch {
      // The caller gets the error and tries again.
    }
  }

  /** True with `awaited`, false when the time is over. */
  #within(timeMs: number, awaited: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      const timer: Timer = this.clock.setTimer(() => resolve(false), timeMs, { hold: false });
      void awaited.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
  }

  #hear(event: QmpEvent): void {
    const observed = stateOfEvent(event);
    if (observed !== undefined) this.observe(observed);
    for (const look of [...this.#awaited]) look(event);
  }

  /** What else tells of its state. */
  observe(observed: ObservedState): void {
    this.#present = observed;
    this.#onChange(observed);
  }
}

/** QEMU did not do something in time. @param option what the user calls the limit */
export function tooLate(what: string, timeoutMs: number, option: string | undefined): WarmvmError {
  const remedy = option === undefined ? '' : `. If the host is merely slow, raise ${option}`;
  return new WarmvmError('WARMVM_HOST_OPERATION', `QEMU did not ${what} within ${timeoutMs} ms${remedy}`, {
    retryable: true,
    details: { timeoutMs, ...(option === undefined ? {} : { option }) },
  });
}

function doesNotEnd(pid: number, timeoutMs: number): WarmvmError {
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `QEMU (process ${pid}) did not end within ${timeoutMs} ms after SIGKILL`,
    {
      retryable: true,
      details: { pid, timeoutMs, remedy: `look at /proc/${pid}/status: state D waits for a disk` },
    },
  );
}
