import {
  type CallOptions,
  type Guest,
  isWarmvmError,
  type Machine,
  type MachineChange,
  type MachineState,
  type OwnerTag,
  retryableDispose,
  WarmvmError,
} from '@warmvm/core/driver';
import type { RunningCall } from './calls.ts';
import { type DriverContext, ownMachine } from './context.ts';
import { machineCrashed, machineGone, notSupported } from './errors.ts';
import { FakeGuest } from './fake-guest.ts';
import type { HostMachine } from './host-store.ts';
import { MachineWatch } from './machine-watch.ts';
import { renewMachine, revertedWorld } from './renewing.ts';
import { untilAborted } from './signals.ts';

/** A driver's handle on a machine of the host. */
export class FakeMachine implements Machine {
  readonly id: string;
  readonly guest: Guest;
  readonly #context: DriverContext;
  readonly #machine: HostMachine;
  readonly #owner: OwnerTag;
  readonly #onDisposed: (machine: FakeMachine) => void;
  readonly #end = new AbortController();
  /** Of this generation's guest. */
  #guestEnd = new AbortController();
  /** Whether the guest of this generation has proved itself; `broken` is final. */
  #proof: 'proved' | 'open' | 'broken' = 'proved';
  /** Settles when every reset that has begun or waits is over; undefined while there is none. */
  #turn: Promise<void> | undefined;
  readonly #disposeOnce = retryableDispose(async () => {
    await this.#dispose();
    this.#onDisposed(this);
  });

  constructor(
    context: DriverContext,
    machine: HostMachine,
    owner: OwnerTag,
    onDisposed: (machine: FakeMachine) => void,
  ) {
    this.id = machine.id;
    this.#context = context;
    this.#machine = machine;
    this.#owner = owner;
    this.#onDisposed = onDisposed;
    this.guest = new FakeGuest(context, machine.id, {
      end: () => this.#guestEnd.signal,
      open: () => this.#openGuest(),
    });
  }

  get generation(): number {
    return this.#machine.generation;
  }

  state(options: CallOptions = {}): Promise<MachineState> {
    const { calls, parts } = this.#context;
    const facts = { operation: 'state', latency: 'stateMs', machineId: this.id } as const;
    return calls.run(facts, { user: options.signal, also: [this.#end.signal] }, async ({ pace, signal }) => {
      this.#open();
      await pace.stage(null, 1, signal);
      return parts.reportState(this.#open().state);
    });
  }

  watch(options: CallOptions = {}): AsyncIterable<MachineChange> {
    const script = this.#context.calls.begin({ operation: 'watch', latency: 'eventMs', machineId: this.id });
    const open = (): HostMachine => this.#open();
    const subject = { machine: this.#machine, end: this.#end.signal, open };
    return {
      [Symbol.asyncIterator]: () => new MachineWatch(this.#context, subject, options, script).queue,
    };
  }

  reset(options: CallOptions = {}): Promise<void> {
    const { calls, capabilities } = this.#context;
    const facts = { operation: 'reset', latency: 'resetMs', machineId: this.id } as const;
    return calls.run(facts, { user: options.signal, also: [this.#end.signal] }, async (call) => {
      if (capabilities.reset === 'none') throw notSupported('reset', "reset: 'none'");
      const before = this.#turn;
      const leave = this.#enter();
      try {
        // A reset that need not wait begins in the same tick, and its generation with it.
        if (before !== undefined) await this.#queue(before, call.signal);
        await this.#reset(call, capabilities.reset);
      } finally {
        leave();
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposeOnce();
  }

  #open(): HostMachine {
    return ownMachine(this.#context.store, this.id, this.#owner);
  }

  #openGuest(): HostMachine {
    const machine = this.#open();
    if (this.#proof === 'proved') return machine;
    throw new WarmvmError('WARMVM_NOT_READY', `Machine ${this.id} has not proved generation ${this.generation}`, {
      retryable: this.#proof === 'open',
      details: { machineId: this.id, generation: this.generation },
      cause: new Error(this.#proof === 'open' ? 'a reset is under way or was given up' : 'its reset failed'),
    });
  }

  /** Keeps other resets out until the returned function is called. */
  #enter(): () => void {
    let leave = (): void => {};
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const turn = this.#turn === undefined ? mine : this.#turn.then(() => mine);
    this.#turn = turn;
    // Not when this one leaves: one that gave up waiting must not open the way past the one that runs.
    const clear = (): void => {
      if (this.#turn === turn) this.#turn = undefined;
    };
    turn.then(clear, clear);
    return leave;
  }

  /** Waits until the resets before are over. */
  async #queue(before: Promise<void>, signal: AbortSignal): Promise<void> {
    const aborted = untilAborted(signal);
    try {
      await Promise.race([before, aborted.promise]);
      signal.throwIfAborted();
    } finally {
      aborted.release();
    }
  }

  async #reset(call: RunningCall, kind: 'memory' | 'disk'): Promise<void> {
    const { store, parts } = this.#context;
    const machine = this.#open();
    if (this.#proof === 'broken') {
      throw resetFailed(this.id, 'an earlier reset failed', new Error('only dispose is left'));
    }
    machine.generation = parts.nextGeneration(machine.generation);
    this.#guestEnd.abort(machineGone(this.id, 'it was reset, and that generation is over'));
    this.#guestEnd = new AbortController();
    this.#proof = 'open';
    call.pace.restart();
    try {
      if (!store.apply(machine, 'reverting')) throw machineGone(this.id, 'it is being destroyed');
      await call.pace.stage('revert', 0.75, call.signal);
      this.#expect('starting');
      const { golden } = machine;
      if (golden === null || golden.frozen === null || store.goldens.get(golden.id) !== golden) {
        throw resetFailed(this.id, 'its golden snapshot is gone', goldenGone(machine));
      }
      machine.world = revertedWorld(this.#context, machine, golden, golden.frozen, kind);
      store.apply(machine, 'started', 'reverted');
      await call.pace.stage('renew', 1, call.signal);
      this.#expect('running');
      renewMachine(this.#context, machine, golden.frozen, kind);
      this.#proof = 'proved';
    } catch (error) {
      // Given up by a signal, it may be reset again; failed, it is good for nothing but dispose.
      if (!call.signal.aborted) this.#proof = 'broken';
      throw error;
    }
  }

  #expect(state: MachineState): void {
    const machine = this.#open();
    if (machine.state === state) return;
    const cause =
      machine.state === 'crashed' ? machineCrashed(this.id) : new Error(`it became ${machine.state} meanwhile`);
    throw resetFailed(this.id, `it is ${machine.state}`, cause);
  }

  #dispose(): Promise<void> {
    const { calls, link } = this.#context;
    const facts = { operation: 'destroy', latency: 'destroyMs', machineId: this.id } as const;
    const destroyed = calls.run(facts, { ignoresClosing: true }, (call) => this.#destroy(call));
    const gone = machineGone(this.id, 'it was disposed');
    this.#end.abort(gone);
    this.#guestEnd.abort(gone);
    return destroyed.catch((error: unknown) => {
      const lost = isWarmvmError(error, 'WARMVM_HOST_LOST') || isWarmvmError(error, 'WARMVM_HOST_UNREACHABLE');
      // What stays on a lost host carries its mark, for a later sweep.
      if (!lost || !link.down) throw error;
    });
  }

  async #destroy({ pace, signal }: RunningCall): Promise<void> {
    const { store, parts } = this.#context;
    await this.#turn;
    pace.restart();
    if (store.marks.get(this.id)?.instance !== this.#owner.instance) return;
    if (store.machines.get(this.id) === this.#machine) store.apply(this.#machine, 'destroying');
    await pace.stage('stop', 1, signal);
    if (store.marks.get(this.id)?.instance !== this.#owner.instance) return;
    parts.destroy(store, this.id);
    await pace.stage('unmark', 1, signal);
    parts.unmark(store, this.id);
  }
}

function resetFailed(machineId: string, why: string, cause: unknown): WarmvmError {
  return new WarmvmError('WARMVM_RESET_FAILED', `Reset of ${machineId} failed: ${why}`, {
    details: { machineId },
    cause,
  });
}

function goldenGone({ golden, digest }: HostMachine): WarmvmError {
  return new WarmvmError('WARMVM_GOLDEN_MISSING', `The golden snapshot ${golden?.id} is no longer on the host`, {
    details: { digest },
    cause: new Error('no such snapshot'),
  });
}
