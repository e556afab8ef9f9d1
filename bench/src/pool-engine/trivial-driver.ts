import type { Driver, Guest, Machine, MachineChange } from '@warmvm/core/driver';
import { WarmvmError } from '@warmvm/core/driver';

const done = Promise.resolve();

/** A {@link trivialDriver} whose resets can be kept from ending. */
export interface TrivialDriver extends Driver {
  /** Resets that begin from now on end only after the returned function was called. */
  holdResets(): () => void;
}

interface Pace {
  /** When a reset that begins now ends. */
  reset: Promise<void>;
}

/** Machines that are nothing but a number: every call is answered at once, so that only the pool is left to measure. */
export function trivialDriver(): TrivialDriver {
  let made = 0;
  const pace: Pace = { reset: done };
  return {
    holdResets: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      pace.reset = promise;
      return () => {
        pace.reset = done;
        resolve();
      };
    },
    specificationVersion: 1,
    name: 'trivial',
    capabilities: {
      reset: 'memory',
      stateEvents: true,
      guestAgent: true,
      forkCost: 'constant',
      concurrentForks: 100,
      survivesReconnect: false,
    },
    prepare: async (image) => ({ digest: image.digest, host: 'trivial', image }),
    fork: async () => {
      made += 1;
      return new TrivialMachine(`trivial-${made}`, pace);
    },
    list: async () => [],
    adopt: () => unused('adopt'),
    remove: async () => {},
    ping: () => unused('ping'),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A machine that is nothing but a number. */
export class TrivialMachine implements Machine {
  readonly id: string;
  readonly guest: Guest = trivialGuest;
  generation = 1;
  readonly #pace: Pace;
  readonly #gone = Promise.withResolvers<void>();

  constructor(id: string, pace: Pace = { reset: done }) {
    this.id = id;
    this.#pace = pace;
  }

  async state(): Promise<'running'> {
    return 'running';
  }

  async *watch(): AsyncIterable<MachineChange> {
    yield { state: 'running', reason: 'trivial', generation: this.generation };
    await this.#gone.promise;
  }

  reset(): Promise<void> {
    this.generation += 1;
    return this.#pace.reset;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.resolve();
  }
}

const trivialGuest: Guest = {
  ping: () => done,
  exec: () => unused('exec'),
  readFile: () => unused('readFile'),
  writeFile: () => unused('writeFile'),
  timeMs: async () => 0,
};

function unused(call: string): Promise<never> {
  return Promise.reject(new WarmvmError('WARMVM_NOT_SUPPORTED', `trivial machines have no ${call}`));
}
