import {
  type CallOptions,
  type Guest,
  isWarmvmError,
  type Machine,
  type MachineChange,
  type MachineState,
  type PortForward,
  StateFeed,
  WarmvmError,
} from '@warmvm/core/driver';
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
  /** Told when it is gone. */
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
  #resetting: Promise<unknown> = Promise.resolve();
  #disposed: Promise<void> | undefined;

  private constructor({ workshop, supply, home, generation, onDispose }: MachineParts) {
    this.id = home.id;
    this.#workshop = workshop;
    this.#supply = supply;
    this.#home = home;
    this.#generation = generation;
    this.#onDispose = onDispose;
    this.#feed = new StateFeed({ state: 'starting', reason: 'being made', generation });
  }

  /** A new machine in a home that is empty. Rejected: nothing of it is left but the home. */
  static async fork(parts: MachineParts, signal: AbortSignal): Promise<QemuMachine> {
    const machine = new QemuMachine(parts);
    try {
      await machine.#replace(undefined, signal);
      return machine;
    } catch (error) {
      await machine.#abandon(machine.#overError());
      throw error;
    }
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
    machine.#embody(incarnation);
    return machine;
  }

  get generation(): number {
    return this.#generation;
  }

  get guest(): Guest {
    const gone = this.#disposed === undefined ? this.#lost : this.#gone();
    return this.#incarnation === undefined || gone !== undefined
      ? refusingGuest(gone ?? this.#overError())
      : this.#incarnation.agent;
  }

  get forwards(): readonly PortForward[] {
    const isOver = this.#disposed !== undefined || this.#lost !== undefined;
    return isOver ? [] : (this.#incarnation?.forwards ?? []);
  }

  async state(options: CallOptions = {}): Promise<MachineState> {
    options.signal?.throwIfAborted();
    this.#requireAlive();
    await this.#requireOwned();
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
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  /** The host is lost: nothing that runs outlives it. */
  lose(error: WarmvmError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#ending.abort(error);
    this.#incarnation?.qemu.process.kill();
    this.#incarnation?.silence(error);
    this.#feed.fail(error);
  }

  async #reset(options: CallOptions): Promise<void> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const signal = AbortSignal.any([this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    this.#generation += 1;
    const old = this.#incarnation;
    this.#incarnation = undefined;
    try {
      await this.#requireOwned();
      this.#feed.publish({ state: 'starting', reason: 'reset', generation: this.#generation });
      await this.#replace(old, signal);
    } catch (cause) {
      await this.#abandon(this.#overError());
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
    const ending = old?.end(this.#overError()) ?? Promise.resolve();
    ending.catch(() => {});
    try {
      const started = await this.#begin(signal);
      this.#incarnation = started;
      await this.#live(started, signal);
    } finally {
      // Nobody is told that a machine is reset, or that it is not, while its old process still dies.
      await ending;
    }
    // The old one had the ports until now.
    await this.#incarnation?.openForwards({ signal });
  }

  /** The generation is written down before anything of it is there. */
  async #begin(signal: AbortSignal): Promise<Incarnation> {
    const { state } = this.#workshop;
    await state.update(this.#home, { generation: this.#generation, process: null });
    return this.#supply.obtain({ ...this.#home, generation: this.#generation }, { signal });
  }

  /** Brings a new incarnation to life, and has its guest prove it. */
  async #live(incarnation: Incarnation, signal: AbortSignal): Promise<void> {
    const { state } = this.#workshop;
    await Promise.all([incarnation.run({ signal }), state.update(this.#home, { process: incarnation.mark })]);
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

  /** What is left of a generation that did not come to life is thrown away: another reset begins anew. */
  async #abandon(reason: WarmvmError): Promise<void> {
    const half = this.#incarnation;
    this.#incarnation = undefined;
    await half?.end(reason);
    const observed = { state: 'stopped', reason: 'thrown away', generation: this.#generation } as const;
    this.#feed.publish(observed);
  }

  async #dispose(): Promise<void> {
    this.#ending.abort(this.#gone());
    this.#feed.end();
    await this.#resetting.catch(() => {});
    try {
      await this.#letGo();
    } finally {
      this.#onDispose(this);
    }
  }

  async #letGo(): Promise<void> {
    const { state } = this.#workshop;
    const gone = this.#gone();
    if (this.#lost !== undefined) return this.#abandon(gone);
    if (await state.isOwned(this.#home)) {
      await this.#abandon(gone);
      await state.remove(this.#home);
    } else {
      await this.#incarnation?.leave(gone);
    }
  }

  /** Somebody else may have taken it over or removed it: it is not touched any more then. */
  async #requireOwned(): Promise<void> {
    if (await this.#workshop.state.isOwned(this.#home)) return;
    throw this.#gone();
  }

  #requireAlive(): void {
    if (this.#disposed !== undefined) throw this.#gone();
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
