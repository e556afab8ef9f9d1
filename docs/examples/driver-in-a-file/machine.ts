import {
  type CallOptions,
  type Guest,
  isWarmvmError,
  type Machine,
  type MachineChange,
  type MachineState,
  retryableDispose,
  StateFeed,
  sleep,
  systemClock,
  WarmvmError,
} from '@warmvm/core/driver';
import type { Vm } from './hypervisor.ts';

const POLL_MS = 50;

const STATES: Readonly<Record<Vm['power'], MachineState>> = { on: 'running', off: 'stopped', dead: 'crashed' };

/** What a machine needs of its driver. */
export interface Keeper {
  power(id: string, options: CallOptions): Promise<Vm['power']>;
  /** Destroys the machine if it is still ours. */
  destroy(id: string): Promise<void>;
}

function refuse(what: string): Promise<never> {
  return Promise.reject(new WarmvmError('WARMVM_NOT_SUPPORTED', `shoebox machines have no ${what}`));
}

// #region guest
/** No agent runs in these guests: the manifest says so, and every call is refused. */
const NO_GUEST: Guest = {
  ping: () => refuse('guest agent'),
  exec: () => refuse('guest agent'),
  readFile: () => refuse('guest agent'),
  writeFile: () => refuse('guest agent'),
  timeMs: () => refuse('guest agent'),
};
// #endregion

export class ShoeboxMachine implements Machine {
  readonly id: string;
  readonly generation: number;
  readonly guest: Guest = NO_GUEST;
  readonly #keeper: Keeper;
  readonly #feed: StateFeed;
  readonly #ended = new AbortController();
  readonly #disposeOnce = retryableDispose(() => this.#dispose());
  #polling: Promise<void> | undefined;

  constructor(id: string, generation: number, keeper: Keeper) {
    this.id = id;
    this.generation = generation;
    this.#keeper = keeper;
    this.#feed = new StateFeed({ state: 'running', reason: 'on', generation });
  }

  // #region state
  async state(options: CallOptions = {}): Promise<MachineState> {
    if (this.#ended.signal.aborted) {
      throw new WarmvmError('WARMVM_MACHINE_GONE', `machine ${this.id} has been destroyed`);
    }
    const power = await this.#keeper.power(this.id, options);
    this.#feed.publish({ state: STATES[power], reason: power, generation: this.generation });
    return STATES[power];
  }

  watch(options: CallOptions = {}): AsyncIterable<MachineChange> {
    this.#polling ??= this.#poll();
    return this.#feed.watch(options.signal);
  }

  /** This hypervisor tells nothing by itself, so the manifest says `stateEvents: false`, and somebody has to look. */
  async #poll(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.state({ signal });
      } catch (error) {
        if (isWarmvmError(error, 'WARMVM_HOST_LOST')) return this.#feed.fail(error);
        if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) return this.#feed.end();
        // No answer says nothing of the machine: the next question may get one.
      }
      await sleep(systemClock, POLL_MS, signal).catch(() => {});
    }
  }
  // #endregion

  reset(): Promise<void> {
    return refuse('reset');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposeOnce();
  }

  // #region dispose
  async #dispose(): Promise<void> {
    this.#feed.end();
    this.#ended.abort(new Error('disposed'));
    try {
      await this.#keeper.destroy(this.id);
    } catch (error) {
      // Dispose is safe after the host is lost: what stays there carries its mark.
      if (!isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
    }
  }
  // #endregion
}
