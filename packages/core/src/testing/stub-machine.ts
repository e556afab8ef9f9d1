import type { CallOptions } from '../driver/call.ts';
import { WarmvmError } from '../driver/error.ts';
import type { Guest } from '../driver/guest.ts';
import type { Machine, MachineChange, MachineId, MachineState, PortForward } from '../driver/machine.ts';
import { StateFeed } from '../driver/state-feed.ts';
import type { StubCalls } from './stub-call.ts';

const encoder = new TextEncoder();

/** A machine of a {@link StubDriver}; its guest echoes what `exec` was given. */
export class StubMachine implements Machine {
  readonly id: MachineId;
  readonly guest: Guest;
  forwards: readonly PortForward[] = [];
  readonly #calls: StubCalls;
  #feed: StateFeed;
  readonly #onDisposed: () => void;
  #generation: number;
  #disposals = 0;
  #watchers = 0;
  /** A state without an event. */
  #hidden: MachineState | undefined;
  #broken: { readonly error: unknown } | undefined;

  constructor(id: MachineId, calls: StubCalls, onDisposed: () => void, generation = 1) {
    this.id = id;
    this.#calls = calls;
    this.#onDisposed = onDisposed;
    this.#generation = generation;
    this.#feed = new StateFeed({ state: 'running', reason: 'forked', generation });
    this.guest = this.#makeGuest();
  }

  get generation(): number {
    return this.#generation;
  }

  /** How often a dispose has ended well; more than once is a fault of whoever disposed. */
  get disposals(): number {
    return this.#disposals;
  }

  /** How many watches are under way. */
  get watchers(): number {
    return this.#watchers;
  }

  state(options: CallOptions = {}): Promise<MachineState> {
    if (this.#disposals > 0) return Promise.reject(this.#gone());
    return this.#calls.make('state', this.id, options.signal, () => this.#hidden ?? this.#feed.present.state);
  }

  async *watch(options: CallOptions = {}): AsyncGenerator<MachineChange, void, undefined> {
    this.#watchers += 1;
    try {
      if (this.#broken !== undefined) throw this.#broken.error;
      yield* this.#feed.watch(options.signal);
    } finally {
      this.#watchers -= 1;
    }
  }

  reset(options: CallOptions = {}): Promise<void> {
    this.#generation += 1;
    return this.#calls.make('reset', this.id, options.signal, () => this.change('running', 'reset'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposals > 0) return Promise.resolve();
    return this.#calls.make('dispose', this.id, undefined, () => {
      this.#disposals += 1;
      this.#feed.end();
      this.#onDisposed();
    });
  }

  /** Brings the machine into a state, and tells those who watch. */
  change(state: MachineState, reason = 'told by the test', generation: number = this.#generation): void {
    this.#hidden = undefined;
    this.#feed.publish({ state, reason, generation });
  }

  /** Brings the machine into a state of which no event tells: only a question for the state finds it out. */
  hide(state: MachineState): void {
    this.#hidden = state;
  }

  /** Breaks every watch with this error, those that begin later too. */
  breakWatches(error: unknown): void {
    this.#broken = { error };
    this.failWatches(error);
  }

  /** Ends every watch, as when the host has forgotten the machine. */
  endWatches(): void {
    this.#feed.end();
  }

  /** Breaks every watch that is under way with this error; a later one goes well again. */
  failWatches(error: unknown): void {
    const broken = this.#feed;
    this.#feed = new StateFeed(broken.present);
    broken.fail(error);
  }

  #gone(): WarmvmError {
    return new WarmvmError('WARMVM_MACHINE_GONE', `machine ${this.id} is gone`);
  }

  #makeGuest(): Guest {
    const call = <Value>(options: CallOptions | undefined, value: () => Value): Promise<Value> =>
      this.#calls.make('probe', this.id, options?.signal, value);
    return {
      ping: (options) => call(options, () => undefined),
      exec: (command, options) =>
        call(options, () => ({
          exitCode: 0,
          signal: null,
          stdout: encoder.encode(command.join(' ')),
          stderr: new Uint8Array(),
          stdoutTruncated: false,
          stderrTruncated: false,
        })),
      readFile: (path, options) => call(options, () => encoder.encode(path)),
      writeFile: (_path, _content, options) => call(options, () => undefined),
      timeMs: (options) => call(options, () => 0),
    };
  }
}
