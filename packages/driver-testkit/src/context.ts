import assert from 'node:assert/strict';
import {
  type Clock,
  type DriverCapabilities,
  type ForkOptions,
  type Machine,
  type OwnerTag,
  sleep,
} from '@warmvm/core/driver';
import type { InjectedFault, KitHook, ParsedSubject } from './subject.ts';
import { settledWithin } from './time-bound.ts';
import { newOwner, Workplace } from './workplace.ts';

/** What {@link KitContext} shares with the run that it belongs to. */
export interface KitRun {
  readonly subject: ParsedSubject;
  readonly clock: Clock;
  readonly capabilities: DriverCapabilities;
  shared(): Promise<Workplace>;
  closeShared(): Promise<void>;
}

/** Longest that taking back one thing after a case may take. */
const CLEANUP_MS = 10_000;

/** What a case works with. Everything taken from here is taken back after the case. */
export class KitContext {
  readonly subject: ParsedSubject;
  readonly capabilities: DriverCapabilities;
  readonly clock: Clock;
  /** Aborted when the case is over, or over its budget. */
  readonly signal: AbortSignal;
  readonly #run: KitRun;
  readonly #cleanups: (() => PromiseLike<unknown>)[] = [];

  constructor(run: KitRun, signal: AbortSignal) {
    this.subject = run.subject;
    this.capabilities = run.capabilities;
    this.clock = run.clock;
    this.signal = signal;
    this.#run = run;
  }

  /** The workplace that cases share; it lives on. Take only what other cases do not mind. */
  shared(): Promise<Workplace> {
    return this.#run.shared();
  }

  /** A workplace on a host that nothing else of the kit is on; the shared one is closed before. */
  async alone(): Promise<Workplace> {
    await this.#run.closeShared();
    return this.beside();
  }

  /** A workplace with a driver of its own, beside others on the host. */
  async beside(owner: OwnerTag = newOwner(this.subject)): Promise<Workplace> {
    const { subject, clock } = this;
    const workplace = await Workplace.create({ subject, clock, owner });
    this.defer(() => workplace.close());
    return workplace;
  }

  /** A machine of the shared workplace for all who leave it as they found it. */
  async machine(): Promise<Machine> {
    return (await this.shared()).machine();
  }

  /** A machine for this case alone. */
  async fork(workplace?: Workplace, options: Partial<ForkOptions> = {}): Promise<Machine> {
    const machine = await (workplace ?? (await this.shared())).fork(options);
    this.defer(() => machine[Symbol.asyncDispose]());
    return machine;
  }

  /** Waits until the shared golden snapshot is as old as this, which is scaled already. */
  async goldenOlderThan(ageMs: number): Promise<void> {
    await this.pause(Math.max(0, ageMs - (await (await this.shared()).goldenAgeMs())));
  }

  /** Another owner, of the same pool where one is named. */
  newOwner(pool?: string): OwnerTag {
    return newOwner(this.subject, pool);
  }

  /** Names of all objects on the host, sorted. */
  async objects(): Promise<readonly string[]> {
    return [...(await this.#hook('hostObjects')())].sort();
  }

  /** Ends the machine from outside. */
  kill(machine: Machine): Promise<void> {
    return this.#hook('killMachine')(machine);
  }

  /** Breaks the connections; the returned function makes them possible again, and runs after the case at the latest. */
  async loseHost(): Promise<() => Promise<void>> {
    return this.#until(await this.#hook('loseHost')());
  }

  /** Makes the host refuse this work; the returned function ends that, and runs after the case at the latest. */
  async injectFault(fault: InjectedFault, machine?: Machine): Promise<() => Promise<void>> {
    return this.#until(await this.#hook('injectFault')(fault, machine));
  }

  /** A time of the kit as this subject takes it. */
  scaled(durationMs: number): number {
    return durationMs * this.subject.timeScale;
  }

  /** Waits `durationMs`, which is not scaled. */
  pause(durationMs: number): Promise<void> {
    return sleep(this.clock, durationMs, this.signal);
  }

  /** What the promise comes to within the scaled time. @throws AssertionError when it does not settle */
  within<Result>(limitMs: number, what: string, promise: PromiseLike<Result>): Promise<Result> {
    return settledWithin(this.clock, this.scaled(limitMs), what, promise);
  }

  /** Done after the case, last first, whatever became of it. */
  defer(cleanup: () => PromiseLike<unknown>): void {
    this.#cleanups.push(cleanup);
  }

  /** Takes back what the case took. What fails here is no failure of the case: DISPOSE has cases of its own. */
  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      await this.within(CLEANUP_MS, 'cleaning up', (async () => cleanup())()).catch(() => {});
    }
  }

  #until(state: AsyncDisposable): () => Promise<void> {
    let ended: Promise<void> | undefined;
    const end = (): Promise<void> => {
      ended ??= Promise.resolve(state[Symbol.asyncDispose]());
      return ended;
    };
    this.defer(end);
    return end;
  }

  #hook<Name extends KitHook>(name: Name): NonNullable<ParsedSubject[Name]> {
    const hook = this.subject[name];
    assert.ok(hook, `subject.${name} is needed for this case: give it, there is no other way to prove the clause`);
    return hook;
  }
}
