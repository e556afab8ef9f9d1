import { type Clock, isWarmvmError, type MachineId } from '@warmvm/core/driver';
import { CallersError } from './errors.ts';
import {
  type Fault,
  type FaultCall,
  type FaultOperation,
  type FaultScript,
  type FaultStage,
  faultError,
} from './faults.ts';
import type { HostConnection, Hypervisor, RefusedWork } from './host.ts';
import type { Journal } from './journal.ts';
import { drawLatency, type Latencies } from './latency.ts';
import type { Link } from './link.ts';
import type { FakeParts } from './parts.ts';
import type { Random } from './random.ts';
import { mergeSignals, untilAborted } from './signals.ts';

/** What a call is about. */
export interface CallFacts {
  readonly operation: FaultOperation;
  readonly latency: keyof Latencies;
  readonly machineId?: MachineId | undefined;
  readonly digest?: string | undefined;
  readonly command?: readonly string[];
}

/** What ends a call before its time. */
export interface CallSignals {
  readonly user?: AbortSignal | undefined;
  /** Looked at when the call begins. */
  readonly also?: readonly AbortSignal[];
  /** Goes on although the driver is being disposed. */
  readonly ignoresClosing?: boolean;
}

/** A call under way. */
export interface RunningCall {
  readonly signal: AbortSignal;
  readonly connection: HostConnection;
  readonly pace: Pace;
}

/** What {@link Calls} works with. */
export interface CallsContext {
  readonly name: string;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly latencies: Latencies;
  readonly faults: FaultScript | undefined;
  readonly random: Random;
  readonly parts: FakeParts;
  readonly link: Link;
  readonly host: Hypervisor;
}

/** What a host that refuses this work refuses. */
const WORK: Partial<Record<FaultOperation, RefusedWork>> = {
  prepare: 'prepare',
  adopt: 'adopt',
  state: 'state',
  event: 'events',
  destroy: 'destroy',
  remove: 'destroy',
};

/** Leads one call through its scripted time and fault. */
export class Pace {
  readonly #calls: Calls;
  readonly #call: FaultCall;
  readonly #latencyMs: number;
  #fault: Fault | undefined;
  #startedMs: number;

  constructor(calls: Calls, call: FaultCall, fault: Fault | undefined, latencyMs: number) {
    this.#calls = calls;
    this.#call = call;
    this.#fault = fault;
    this.#latencyMs = latencyMs;
    this.#startedMs = calls.context.clock.now();
  }

  /** Counts the latency from now on. */
  restart(): void {
    this.#startedMs = this.#calls.context.clock.now();
  }

  /** Waits until `share` of the latency is over; the scripted fault of this stage strikes first. */
  async stage(name: FaultStage | null, share: number, signal: AbortSignal): Promise<void> {
    const { clock, parts } = this.#calls.context;
    const fault = this.#fault;
    if (fault !== undefined && (fault.stage === undefined || fault.stage === name)) {
      this.#fault = undefined;
      const delayMs = fault.delayMs ?? 0;
      if (delayMs > 0) await parts.wait(clock, delayMs, signal);
      if (fault.hang === true) await this.#calls.hang(signal);
      if (fault.reject !== undefined) throw faultError(fault.reject, this.#call);
      this.#startedMs += delayMs;
    }
    await parts.wait(clock, this.#startedMs + this.#latencyMs * share - clock.now(), signal);
  }
}

/** Every call of a driver goes through here: faults, latency, signals, journal and errors. */
export class Calls {
  readonly context: CallsContext;
  readonly #attempts = new Map<FaultOperation, number>();
  readonly #inFlight = new Map<FaultOperation, number>();
  readonly #unsettled = new Set<Promise<unknown>>();
  readonly #hung = new Set<() => void>();

  constructor(context: CallsContext) {
    this.context = context;
  }

  /** Asks the fault script. @throws what a fault throws synchronously */
  begin(facts: CallFacts): { readonly call: FaultCall; readonly fault: Fault | undefined } {
    const { operation, machineId = null, digest = null, command = null } = facts;
    const attempt = (this.#attempts.get(operation) ?? 0) + 1;
    this.#attempts.set(operation, attempt);
    const call = { operation, attempt, machineId, digest, command, nowMs: this.context.clock.now() };
    const fault = this.#refusal(call) ?? this.context.faults?.(call);
    if (fault?.throwSynchronously !== undefined) throw faultError(fault.throwSynchronously, call);
    return { call, fault };
  }

  #refusal({ operation, machineId }: FaultCall): Fault | undefined {
    const work = WORK[operation];
    if (work === undefined || !this.context.host.isRefused(work, machineId)) return undefined;
    return operation === 'event' ? { hang: true } : { reject: new Error('the host refuses it') };
  }

  /** Runs a call. Throws synchronously only where a fault says so. */
  run<Result>(facts: CallFacts, signals: CallSignals, body: (call: RunningCall) => Promise<Result>): Promise<Result> {
    const { call, fault } = this.begin(facts);
    const running = this.#run(facts, signals, call, fault, body);
    this.#unsettled.add(running);
    const forget = (): void => {
      this.#unsettled.delete(running);
    };
    running.then(forget, forget);
    return running;
  }

  /** Time of a latency for a call that does not go through {@link run}. */
  latencyMs(latency: keyof Latencies, call: FaultCall): number {
    const { latencies, random, clock } = this.context;
    const { operation, attempt, machineId } = call;
    const inFlight = this.#inFlight.get(operation) ?? 0;
    const context = { operation, attempt, inFlight, machineId, nowMs: clock.now() };
    return drawLatency(latency, latencies[latency], context, random);
  }

  /** Resolves when {@link resumeHung} is called. */
  async hang(signal: AbortSignal): Promise<void> {
    const aborted = untilAborted(signal);
    let resume = (): void => {};
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    this.#hung.add(resume);
    try {
      await Promise.race([resumed, aborted.promise]);
    } finally {
      this.#hung.delete(resume);
      aborted.release();
    }
  }

  /** Lets every hung call go on; says how many there were. */
  resumeHung(): number {
    const hung = [...this.#hung];
    for (const resume of hung) resume();
    return hung.length;
  }

  /** Resolves when every call that is under way has settled, however. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#unsettled]);
  }

  async #run<Result>(
    facts: CallFacts,
    signals: CallSignals,
    call: FaultCall,
    fault: Fault | undefined,
    body: (call: RunningCall) => Promise<Result>,
  ): Promise<Result> {
    const { operation } = facts;
    const { link, parts } = this.context;
    const closing = signals.ignoresClosing === true ? undefined : link.closing;
    let merged = mergeSignals([signals.user]);
    this.#count(operation, 1);
    this.#write(call, null, null);
    try {
      merged.signal.throwIfAborted();
      merged.release();
      merged = mergeSignals([signals.user, ...(signals.also ?? []), closing]);
      merged.signal.throwIfAborted();
      const connection = link.open();
      merged.release();
      merged = mergeSignals([signals.user, connection.lost, ...(signals.also ?? []), closing]);
      const pace = new Pace(this, call, fault, this.latencyMs(facts.latency, call));
      const result = await body({ signal: merged.signal, connection, pace });
      this.#write(call, 'resolved', null);
      return result;
    } catch (error) {
      const isReason = merged.signal.aborted && merged.signal.reason === error;
      const theirs = error instanceof CallersError ? error.thrown : error;
      const thrown = isReason || theirs !== error ? theirs : parts.wrapError(operation, error);
      this.#write(call, 'rejected', thrown);
      throw thrown;
    } finally {
      merged.release();
      this.#count(operation, -1);
    }
  }

  #count(operation: FaultOperation, change: number): void {
    this.#inFlight.set(operation, (this.#inFlight.get(operation) ?? 0) + change);
  }

  #write(call: FaultCall, outcome: 'resolved' | 'rejected' | null, error: unknown): void {
    const { operation, attempt, machineId } = call;
    this.context.journal.write({
      kind: outcome === null ? 'call-begun' : 'call-ended',
      driver: this.context.name,
      operation,
      attempt,
      machineId,
      outcome,
      code: isWarmvmError(error) ? error.code : null,
    });
  }
}
