import type { TrivialMachine } from './trivial-driver.ts';

/** Longest that a reset or a probe may take. One that hangs is found when a {@link TICK_MS} of the watch is over besides. */
export const CLEANING_LIMIT_MS = 30_000;
const TICK_MS = 1_000;
const TICKS = CLEANING_LIMIT_MS / TICK_MS;

/** What a caller does with a resource of a pool. */
export interface Returns<Resource> {
  /** Gives it back, clean. */
  readonly release: (resource: Resource) => unknown;
  /** Has it destroyed, and another one made in its place. */
  readonly destroy: (resource: Resource) => unknown;
}

/**
 * What a careful user of a pool writes who has it reset and probe what it lends, each within a time limit: the cheapest that does so
 * of those that were tried. Nobody waits for it, a timer of one second looks at all, and of each resource one object serves every turn.
 */
export class CarefulCaller<Resource extends object> {
  readonly #cleanings = new Map<Resource, Cleaning<Resource>>();
  readonly #returns: Returns<Resource>;
  readonly #machineOf: (resource: Resource) => TrivialMachine;
  readonly #timer: NodeJS.Timeout;
  #tick = 1;

  constructor(returns: Returns<Resource>, machineOf: (resource: Resource) => TrivialMachine) {
    this.#returns = returns;
    this.#machineOf = machineOf;
    this.#timer = setInterval(() => this.#look(), TICK_MS);
    this.#timer.unref();
  }

  get tick(): number {
    return this.#tick;
  }

  /** Resets and probes it, then gives it back; what fails or takes too long has it destroyed. Returns at once. */
  giveBack(resource: Resource): void {
    let cleaning = this.#cleanings.get(resource);
    if (cleaning === undefined) {
      cleaning = new Cleaning(this, this.#returns, resource, this.#machineOf(resource));
      this.#cleanings.set(resource, cleaning);
    }
    cleaning.begin();
  }

  forget(resource: Resource): void {
    this.#cleanings.delete(resource);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#tick += 1;
    for (const cleaning of this.#cleanings.values()) {
      if (cleaning.sinceTick > 0 && this.#tick - cleaning.sinceTick > TICKS) cleaning.giveUp();
    }
  }
}

/** Cleans one resource, turn after turn. */
class Cleaning<Resource extends object> {
  /** When the present call began; 0 while there is none. */
  sinceTick = 0;
  readonly #caller: CarefulCaller<Resource>;
  readonly #returns: Returns<Resource>;
  readonly #resource: Resource;
  readonly #machine: TrivialMachine;
  #isReset = false;

  constructor(
    caller: CarefulCaller<Resource>,
    returns: Returns<Resource>,
    resource: Resource,
    machine: TrivialMachine,
  ) {
    this.#caller = caller;
    this.#returns = returns;
    this.#resource = resource;
    this.#machine = machine;
  }

  begin(): void {
    this.#isReset = false;
    this.sinceTick = this.#caller.tick;
    this.#machine.reset().then(this.#succeeded, this.giveUp);
  }

  /** It failed or took too long: the resource goes. A call that settles afterwards changes nothing. */
  readonly giveUp = (): void => {
    if (this.sinceTick === 0) return;
    this.sinceTick = 0;
    this.#caller.forget(this.#resource);
    this.#returns.destroy(this.#resource);
  };

  readonly #succeeded = (): void => {
    if (this.sinceTick === 0) return;
    if (this.#isReset) {
      this.sinceTick = 0;
      this.#returns.release(this.#resource);
      return;
    }
    this.#isReset = true;
    this.sinceTick = this.#caller.tick;
    this.#machine.guest.ping().then(this.#succeeded, this.giveUp);
  };
}
