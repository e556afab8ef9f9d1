import {
  type CallOptions,
  fromSystemError,
  type Guest,
  isWarmvmError,
  type Machine,
  type MachineChange,
  type MachineState,
  type PortForward,
  retryableDispose,
  StateFeed,
  WarmvmError,
} from '@warmvm/core/driver';
import { notDestroyed } from './driver-errors.ts';
import type { NamedProcessMark } from './home/mark.ts';
import type { Home } from './home/state-folder.ts';
import { Incarnation } from './incarnation.ts';
import type { ObservedState } from './process/run-state.ts';
import { refusingGuest } from './refusing-guest.ts';
import type { Supply } from './supply.ts';
import type { Workshop } from './workshop.ts';

/** What a {@link QemuMachine} is made of. */
export interface MachineParts {
  readonly workshop: Workshop;
  readonly supply: Supply;
  readonly home: Home;
  readonly generation: number;
  /** Called once it is destroyed, and not before. */
  readonly onDispose: (machine: QemuMachine) => void;
}

/** A machine on this computer: a home that stays, and one incarnation after the other in it. */
export class QemuMachine implements Machine {
  readonly id: string;
  readonly #workshop: Workshop;
  readonly #supply: Supply;
  readonly #home: Home;
  readonly #onDispose: (machine: QemuMachine) => void;
  readonly #feed: StateFeed;
  readonly #ending = new AbortController();
  #generation: number;
  #incarnation: Incarnation | undefined;
  #lost: WarmvmError | undefined;
  /** Every QEMU that was started for it and is not known to have ended. */
  readonly #started = new Set<Incarnation>();
  readonly #disposeOnce: () => Promise<void>;
  #resetting: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  constructor({ workshop, supply, home, generation, onDispose }: MachineParts) {
    this.id = home.id;
    this.#workshop = workshop;
    this.#supply = supply;
    this.#home = home;
    this.#generation = generation;
    this.#onDispose = onDispose;
    this.#feed = new StateFeed({ state: 'starting', reason: 'being made', generation });
    this.#disposeOnce = retryableDispose(() => this.#dispose());
  }

  /** Starts the first generation in a home that is empty. Rejected: dispose destroys what there is of it. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#begin();
    return this.#replace(undefined, signal);
  }

  /** A machine that runs for somebody else, who is told nothing. Rejected: it stays his. */
  static async adopt(
    parts: MachineParts & { readonly process: NamedProcessMark },
    signal: AbortSignal,
  ): Promise<QemuMachine> {
    const { workshop, supply, home, generation, process } = parts;
    const place = { id: home.id, directory: home.directory, generation, process };
    const incarnation = await Incarnation.inherit(workshop, supply.template, place, { signal });
    const machine = new QemuMachine(parts);
    machine.#incarnation = incarnation;
    machine.#started.add(incarnation);
    machine.#embody(incarnation);
    return machine;
  }

  get generation(): number {
    return this.#generation;
  }

  get guest(): Guest {
    const gone = this.#isDisposed ? this.#gone() : this.#lost;
    return this.#incarnation === undefined || gone !== undefined
      ? refusingGuest(gone ?? this.#overError())
      : this.#incarnation.agent;
  }

  get forwards(): readonly PortForward[] {
    const isOver = this.#isDisposed || this.#lost !== undefined;
    return isOver ? [] : (this.#incarnation?.forwards ?? []);
  }

  /** Asks QEMU itself: an event that never came, or a process that stands still, does not hide behind what was heard last. */
  async state(options: CallOptions = {}): Promise<MachineState> {
    options.signal?.throwIfAborted();
    this.#requireAlive();
    await this.#requireOwned();
    if (this.#feed.present.state !== 'starting') await this.#incarnation?.qemu.ask(options);
    this.#requireAlive();
    return this.#feed.present.state;
  }

  watch(options: CallOptions = {}): AsyncIterable<MachineChange> {
    return this.#feed.watch(options.signal);
  }

  reset(options: CallOptions = {}): Promise<void> {
    const reset = (): Promise<void> => this.#workshop.atWork(() => this.#reset(options));
    const turn = this.#resetting.then(reset, reset);
    this.#resetting = turn;
    return turn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    return this.#disposeOnce();
  }

  /** The host is lost: nothing that runs outlives it. */
  lose(error: WarmvmError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#ending.abort(error);
    // What cannot be killed now is tried again by dispose, which waits for its end.
    for (const started of this.#started) void started.end(error).catch(() => {});
    this.#feed.fail(error);
  }

  async #reset(options: CallOptions): Promise<void> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const signal = AbortSignal.any([this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    this.#generation += 1;
    const old = this.#incarnation;
    this.#incarnation = undefined;
    // Another owner's is not touched, and what has no mark any more is left to dispose: both are still in the set.
    await this.#begin();
    try {
      this.#feed.publish({ state: 'starting', reason: 'reset', generation: this.#generation });
      await this.#replace(old, signal);
    } catch (cause) {
      // What does not end now stays in the set: the next reset, or dispose, tries again.
      await this.#abandon(this.#overError()).catch(() => {});
      if (this.#ending.signal.aborted) throw this.#ending.signal.reason;
      if (options.signal?.aborted) throw options.signal.reason;
      if (isWarmvmError(cause, 'WARMVM_MACHINE_GONE')) throw cause;
      throw new WarmvmError('WARMVM_RESET_FAILED', `machine ${this.id} could not be reset`, {
        cause,
        details: { machine: this.id, generation: this.#generation },
      });
    }
  }

  /** The old one dies while the new one starts; neither has a file or a socket of the other. */
  async #replace(old: Incarnation | undefined, signal: AbortSignal): Promise<void> {
    const ending = old === undefined ? Promise.resolve() : this.#endOf(old, this.#overError());
    ending.catch(() => {});
    try {
      const place = { ...this.#home, generation: this.#generation };
      const started = await this.#supply.obtain(place, { signal });
      this.#started.add(started);
      this.#incarnation = started;
      await this.#live(started, signal);
    } finally {
      // Nobody is told that a machine is reset, or that it is not, while its old process still dies.
      await ending;
    }
    // The old one had the ports until now.
    await this.#incarnation?.openForwards({ signal });
  }

  /** Writes the generation down before anything of it is made, and before its predecessor ends. @throws WARMVM_MACHINE_GONE */
  #begin(): Promise<void> {
    return this.#workshop.state.update(this.#home, { generation: this.#generation, process: null });
  }

  /** Brings a new incarnation to life, and has its guest prove it. */
  async #live(incarnation: Incarnation, signal: AbortSignal): Promise<void> {
    const { state } = this.#workshop;
    const marking = state.update(this.#home, { process: incarnation.mark });
    marking.catch(() => {});
    try {
      await incarnation.run({ signal });
    } finally {
      // A call that rejects leaves nothing at work.
      await marking;
    }
    this.#embody(incarnation);
    await incarnation.renew(this.id, { signal });
    signal.throwIfAborted();
  }

  /** From now on what this QEMU says is the machine's state. */
  #embody(incarnation: Incarnation): void {
    const generation = this.#generation;
    const publish = ({ state, reason }: ObservedState): void => this.#feed.publish({ state, reason, generation });
    incarnation.qemu.onChange((observed) => {
      if (this.#incarnation === incarnation) publish(observed);
    });
    publish(incarnation.qemu.present);
  }

  /** Throws away what is left of a generation that did not come to life: another reset begins from the start. */
  async #abandon(reason: WarmvmError): Promise<void> {
    this.#incarnation = undefined;
    try {
      await this.#endAll(reason);
    } finally {
      this.#feed.publish({ state: 'stopped', reason: 'thrown away', generation: this.#generation });
    }
  }

  /** Tries each, and rejects with the first failure. */
  async #endAll(reason: WarmvmError): Promise<void> {
    const ends = await Promise.allSettled([...this.#started].map((started) => this.#endOf(started, reason)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #endOf(started: Incarnation, reason: WarmvmError): Promise<void> {
    await started.end(reason);
    this.#started.delete(started);
  }

  async #dispose(): Promise<void> {
    this.#ending.abort(this.#gone());
    this.#feed.end();
    await this.#resetting.catch(() => {});
    try {
      await this.#destroy(this.#gone());
    } catch (cause) {
      throw notDestroyed(this.id, cause);
    }
    this.#onDispose(this);
  }

  async #destroy(gone: WarmvmError): Promise<void> {
    this.#incarnation = undefined;
    const { state } = this.#workshop;
    // Its files went with the host. What runs has to end all the same.
    if (this.#lost !== undefined && !(await state.isThere())) return this.#endAll(gone);
    if (await state.removeOwned(this.#home, () => this.#endAll(gone))) return;
    for (const started of this.#started) await started.leave(gone);
    this.#started.clear();
  }

  /** Somebody else may have taken it over or removed it: it is not touched any more then. */
  async #requireOwned(): Promise<void> {
    const isOwned = await this.#workshop.state.isOwned(this.#home).catch((error: unknown) => {
      throw fromSystemError(error, `the mark of machine ${this.id} could not be read`);
    });
    if (!isOwned) throw this.#gone();
  }

  #requireAlive(): void {
    if (this.#isDisposed) throw this.#gone();
    if (this.#lost !== undefined) throw this.#lost;
  }

  #gone(): WarmvmError {
    return new WarmvmError('WARMVM_MACHINE_GONE', `machine ${this.id} has been destroyed`, {
      details: { machine: this.id },
    });
  }

  /** For the guest of a generation that a reset has ended. */
  #overError(): WarmvmError {
    return new WarmvmError('WARMVM_MACHINE_GONE', `that generation of machine ${this.id} is over`, {
      details: { machine: this.id },
    });
  }
}
