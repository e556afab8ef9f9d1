import type { Machine, MachineChange } from '@warmvm/core/driver';
import type { KitContext } from './context.ts';

/** One watch of a machine, taken step by step. */
export class Watching {
  readonly #context: KitContext;
  readonly #iterator: AsyncIterator<MachineChange>;
  readonly #controller = new AbortController();

  constructor(context: KitContext, machine: Machine) {
    this.#context = context;
    this.#iterator = machine.watch({ signal: this.#controller.signal })[Symbol.asyncIterator]();
    // Not return(): a generator that waits takes it only when the wait is over.
    context.defer(async () => this.#controller.abort(new Error('the case is over')));
  }

  /** The next step, whenever it comes. */
  step(): Promise<IteratorResult<MachineChange>> {
    return this.#iterator.next();
  }

  /** The next change. @throws AssertionError when none comes in time or the watch ends */
  async change(limitMs: number, what: string): Promise<MachineChange> {
    const { done, value } = await this.#context.within(limitMs, what, this.step());
    if (done === true) throw new Error(`${what}: the watch has ended`);
    return value;
  }

  /** The first change that the predicate takes, and how many were taken until then. */
  async until(
    predicate: (change: MachineChange) => boolean,
    limitMs: number,
    what: string,
  ): Promise<{ readonly change: MachineChange; readonly taken: number }> {
    const search = async (): Promise<{ change: MachineChange; taken: number }> => {
      for (let taken = 1; ; taken += 1) {
        const { done, value } = await this.step();
        if (done === true) throw new Error(`${what}: the watch has ended`);
        if (predicate(value)) return { change: value, taken };
      }
    };
    return this.#context.within(limitMs, what, search());
  }

  /** Takes changes until the watch ends; their number. */
  async end(limitMs: number): Promise<number> {
    const drain = async (): Promise<number> => {
      for (let taken = 0; ; taken += 1) if ((await this.step()).done === true) return taken;
    };
    return this.#context.within(limitMs, 'the end of the watch', drain());
  }
}
