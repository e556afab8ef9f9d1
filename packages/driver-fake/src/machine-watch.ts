import type { CallOptions, MachineChange, Timer } from '@warmvm/core/driver';
import { isWarmvmError } from '@warmvm/core/driver';
import type { ChangeQueue } from './change-queue.ts';
import type { DriverContext } from './context.ts';
import { wrapError } from './errors.ts';
import { type Fault, type FaultCall, faultError } from './faults.ts';
import type { HostChange, HostMachine } from './host-store.ts';

/** What a watch looks at. */
export interface WatchSubject {
  readonly machine: HostMachine;
  readonly end: AbortSignal;
  /** @throws WarmvmError when the machine is not ours any more */
  open(): HostMachine;
}

/** One iteration over the changes of a machine: by events, or by polling where the manifest has none. */
export class MachineWatch {
  readonly queue: ChangeQueue;
  readonly #context: DriverContext;
  readonly #subject: WatchSubject;
  readonly #delayMs: number;
  readonly #timers = new Set<Timer>();
  readonly #undo: (() => void)[] = [];
  #last: MachineChange | undefined;
  #deliveredMs = 0;
  #polls = 0;

  constructor(
    context: DriverContext,
    subject: WatchSubject,
    options: CallOptions,
    script: { readonly call: FaultCall; readonly fault: Fault | undefined },
  ) {
    this.#context = context;
    this.#subject = subject;
    this.#delayMs = script.fault?.delayMs ?? 0;
    this.queue = context.parts.changeQueue(() => this.#stop());
    const { signal } = options;
    if (signal?.aborted) this.queue.fail(signal.reason);
    else if (script.fault?.reject !== undefined) {
      this.queue.fail(context.parts.wrapError('watch', faultError(script.fault.reject, script.call)));
    } else this.#start(signal, script.fault?.hang === true);
  }

  #start(signal: AbortSignal | undefined, silent: boolean): void {
    const { link, capabilities } = this.#context;
    if (this.#subject.end.aborted) {
      this.queue.end();
      return;
    }
    try {
      const { lost } = link.open();
      const machine = this.#subject.open();
      this.#on(signal, (reason) => this.queue.fail(reason));
      this.#on(lost, (reason) => this.queue.fail(reason));
      this.#on(this.#subject.end, () => this.queue.end());
      if (silent) return;
      this.#push(this.#present(machine));
      if (capabilities.stateEvents) this.#listen(machine);
      else this.#schedulePoll(machine);
    } catch (error) {
      if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) this.queue.end();
      else this.queue.fail(error);
    }
  }

  #present({ state, reason, generation }: Pick<HostMachine, 'state' | 'reason' | 'generation'>): MachineChange {
    return { state: this.#context.parts.reportState(state), reason, generation };
  }

  #push(change: MachineChange): void {
    this.#last = change;
    this.queue.push(change);
  }

  #listen(machine: HostMachine): void {
    const listener = (change: HostChange): void => this.#hear(change);
    machine.listeners.add(listener);
    this.#undo.push(() => machine.listeners.delete(listener));
  }

  #hear(change: HostChange): void {
    const { calls, clock } = this.#context;
    const { id } = this.#subject.machine;
    try {
      const { call, fault } = calls.begin({ operation: 'event', latency: 'eventMs', machineId: id });
      if (fault?.reject !== undefined) throw wrapError('event', faultError(fault.reject, call));
      if (fault?.hang === true) return;
      const delayMs = calls.latencyMs('eventMs', call) + this.#delayMs + (fault?.delayMs ?? 0);
      // Events of one machine arrive in order, however their delays were drawn.
      this.#deliveredMs = Math.max(this.#deliveredMs, clock.now() + delayMs);
      this.#after(this.#deliveredMs - clock.now(), () => {
        this.#push(this.#present(change));
        if (change.gone) this.queue.end();
      });
    } catch (error) {
      this.queue.fail(error);
    }
  }

  #schedulePoll(machine: HostMachine): void {
    this.#polls += 1;
    const facts = { operation: 'event', attempt: this.#polls, machineId: machine.id } as const;
    const call = { ...facts, digest: null, command: null, nowMs: this.#context.clock.now() };
    this.#after(this.#context.calls.latencyMs('pollMs', call), () => this.#poll(machine));
  }

  #poll(machine: HostMachine): void {
    // A question that the host does not answer says nothing; the next one may.
    if (this.#context.host.isRefused('state', machine.id)) {
      this.#schedulePoll(machine);
      return;
    }
    const seen = this.#present(machine);
    const last = this.#last;
    if (last?.state !== seen.state || last.generation !== seen.generation) {
      this.#polls = 0;
      this.#push(seen);
    }
    if (this.#context.store.machines.get(machine.id) === machine) this.#schedulePoll(machine);
    else this.queue.end();
  }

  #after(delayMs: number, callback: () => void): void {
    if (delayMs <= 0) {
      callback();
      return;
    }
    const timer = this.#context.clock.setTimer(
      () => {
        this.#timers.delete(timer);
        callback();
      },
      delayMs,
      { hold: false },
    );
    this.#timers.add(timer);
  }

  #on(signal: AbortSignal | undefined, callback: (reason: unknown) => void): void {
    if (signal === undefined) return;
    const onAbort = (): void => callback(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#undo.push(() => signal.removeEventListener('abort', onAbort));
  }

  #stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const undo of this.#undo.splice(0)) undo();
  }
}
